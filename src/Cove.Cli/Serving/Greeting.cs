using Cove.Server.Access;
using Cove.Server.Settings;

namespace Cove.Cli.Serving;

/// <summary>What a user sees first: where the server is and a line that works. On standard error, since standard output is the log.</summary>
internal static class Greeting
{
    public static Task WriteAsync(IReadOnlyList<string> addresses, ServerOptions options, Welcome welcome)
    {
        var address = addresses[0];
        var key = welcome.NewKey?.Text ?? (options.AllowAnonymous ? null : "cove_…");
        var header = key is null ? "" : $" -H 'X-API-Key: {key}'";
        return Console.Error.WriteLineAsync($$"""
            cove: serving at {{string.Join(", ", addresses)}}, data in {{options.DataDirectory}}
            cove: {{welcome.Text}}{{(welcome.NewKey is { } made ? ": " + made.Text : "")}}
            cove: try: curl {{address}}/health
            cove: try: curl {{address}}/v1/sandboxes{{header}} -H 'Content-Type: application/json' -d '{}'
            """);
    }
}
