using System.Diagnostics;

namespace Cove.Tests.Support;

/// <summary>
/// The program under test as a process of its own: the published one that ./test names in COVE_TEST_APP (compiled ahead, as users have it, it
/// starts in a fraction of the time), else the one beside the tests.
/// </summary>
internal static class CoveProgram
{
    public static string Dotnet { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    public static string Library { get; } = Path.Combine(Environment.GetEnvironmentVariable("COVE_TEST_APP") ?? AppContext.BaseDirectory, "cove.dll");

    /// <summary>How it is started, with all of its streams kept from the tests' own.</summary>
    public static ProcessStartInfo Start(params IEnumerable<string> arguments) => new(Dotnet, [Library, .. arguments])
    {
        RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
    };
}
