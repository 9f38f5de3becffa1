using System.Diagnostics;
using System.Runtime.InteropServices;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp.Published;

/// <summary>What ./test installed from npm, pinned by tests/node/package-lock.json. A test that needs it is skipped where it is not there.</summary>
internal sealed record NodePackages(string Directory)
{
    private static readonly string _machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";

    /// <summary>The interpreter the suite needs.</summary>
    public string Node => Path.Combine(Directory, $"node-linux-{_machine}", "bin", "node");

    /// <summary>The conformance suite of the Model Context Protocol.</summary>
    public string Conformance => Path.Combine(Directory, "@modelcontextprotocol", "conformance", "dist", "index.js");

    /// <summary>A published host of MCP servers.</summary>
    public string Claude => Path.Combine(Directory, "@anthropic-ai", $"claude-code-linux-{_machine}", "claude");

    public static NodePackages Require()
    {
        var found = new NodePackages(Path.Combine(LiveEngine.Repository, "artifacts", "node", "node_modules"));
        Assert.SkipUnless(File.Exists(found.Node) && File.Exists(found.Conformance) && File.Exists(found.Claude), "The packages of tests/node are not installed; ./test installs them where npm can be reached.");
        return found;
    }

    /// <summary>Runs a program to its end, which it is helped to when it takes too long; returns its exit code and all it said.</summary>
    public static async Task<(int Code, string Output)> RunAsync(ProcessStartInfo start, TimeSpan patience)
    {
        foreach (var name in start.Environment.Keys.Where(name => name.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)).ToArray())
        {
            start.Environment.Remove(name);
        }

        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            return (-1, $"It did not end within {patience}.\n{await output}\n{await errors}");
        }

        return (process.ExitCode, $"{await output}\n{await errors}");
    }
}
