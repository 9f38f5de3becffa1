using Cove.Tests.Leaks;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

namespace Cove.Tests;

/// <summary>Runs the tests; or, asked to by a test, hosts an engine that the test may kill.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [EngineHost.Word, var state] => EngineHost.RunAsync(state),
        _ when args.Contains("--server") => TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => ConsoleRunner.Run(args),
    };
}
