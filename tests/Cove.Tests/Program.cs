using Cove.Tests.Description;
using Cove.Tests.Leaks;
using Cove.Tests.Server.State;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Cove.Tests;

/// <summary>Runs the tests; or, asked to by a test, hosts an engine or a state that the test may kill. Asked to by you, writes specs/openapi.json.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [EngineHost.Word, var state] => EngineHost.RunAsync(state),
        [OpenApiDocument.Word] => Task.FromResult(OpenApiDocument.Write()),
        [StateHost.Word, var directory] => StateHost.RunAsync(directory),
        _ when args.Contains("--server") => TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
