using Cove.Server.Settings;

namespace Cove.Cli.Serving;

/// <summary>What a user sees first: where the server is and a line that works. On standard error, since standard output is the log.</summary>
internal static class Greeting
{
    public static Task WriteAsync(IReadOnlyList<string> addresses, ServerOptions options)
    {
        var address = addresses[0];
        return Console.Error.WriteLineAsync($$"""
            cove: serving at {{string.Join(", ", addresses)}}, data in {{options.DataDirectory}}
            cove: try: curl {{address}}/health
            cove: try: curl {{address}}/v1/sandboxes -H 'Content-Type: application/json' -d '{}'
            """);
    }
}
