using Cove.Client;

namespace Cove.Cli.Warm;

/// <summary>The Cove a command talks to: a server that was named, else this user's own engine.</summary>
internal static class Connection
{
    /// <summary>The variable that holds a server's key. Not an option: options can be read by everybody who may list processes.</summary>
    private const string KeyVariable = "COVE_API_KEY";

    public static async Task<CoveClient> OpenAsync(EngineChoice choice, TimeProvider time, CancellationToken cancellationToken) =>
        choice.Server is { } server ? ToServer(server, time) : await WarmEngine.ConnectAsync(choice, time, cancellationToken);

    /// <summary>Connects and makes a sandbox. The engine that was found may end in between; then the next one is started, once.</summary>
    public static async Task<(CoveClient Cove, SandboxInfo Sandbox)> MakeAsync(EngineChoice choice, SandboxRequest request, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var again = choice.Server is not null; ; again = true)
        {
            var client = await OpenAsync(choice, time, cancellationToken);
            try
            {
                return (client, await ((ICove)client).CreateSandboxAsync(request, cancellationToken));
            }
            catch (Exception failure)
            {
                await client.DisposeAsync();
                if (again || failure is not CoveException { Error.Code: "engine_stopping" or "engine_unreachable" })
                {
                    throw;
                }
            }
        }
    }

    private static CoveClient ToServer(Uri server, TimeProvider time)
    {
        try
        {
            return new CoveClient(new CoveClientOptions { Server = server, ApiKey = Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } key ? key : null, Time = time });
        }
        catch (ArgumentException)
        {
            throw Errors.Usage("api_key", $"The variable {KeyVariable} holds no API key.", "Set it to the key that 'cove keys create' printed; its value is not shown here.");
        }
    }
}
