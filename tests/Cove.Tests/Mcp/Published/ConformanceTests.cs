using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Frontends.Mcp.Http;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Mcp.Published;

/// <summary>The published conformance suite against this server's own transport, access control and door included.</summary>
public sealed partial class ConformanceTests
{
    private const string Path = "/fixtures";

    /// <summary>It takes some seconds; a busy machine takes its time.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    [Theory]
    [InlineData("2026-07-28", 37)]
    [InlineData("2025-11-25", 30)]
    public async Task All_that_a_revision_requires_passes(string revision, int scenarios)
    {
        var packages = NodePackages.Require();
        await using var server = await TcpServer.StartAsync(parts: parts => parts with
        {
            MapMore = routes =>
            {
                var frontend = new McpFrontend(FixtureCatalog.Options, new McpSessions(new McpSessionLimits(), TimeProvider.System), NullLoggerFactory.Instance);
                routes.MapMcp(Path, _ => frontend);
            },
        });
        using var directory = new TemporaryDirectory();
        var start = new ProcessStartInfo(packages.Node, [packages.Conformance, "server", "--url", new Uri(server.Address, Path).ToString(), "--requirements", revision, "-o", directory.Path])
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = directory.Path,
        };
        var (code, output) = await NodePackages.RunAsync(start, _patience);
        Assert.True(code == 0, Failures(directory.Path) + output);

        // A suite that ran nothing has not passed.
        Assert.True(Passed().Count(output) >= scenarios, output);
    }

    /// <summary>What failed, and why, as the suite wrote it down.</summary>
    private static string Failures(string directory) => string.Join('\n', Directory.EnumerateFiles(directory, "checks.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .SelectMany(file => JsonNode.Parse(File.ReadAllText(file))!.AsArray()).Where(check => check!["status"]!.GetValue<string>() == "FAILURE").Select(check => $"{check!["id"]}: {check["errorMessage"]}"));

    [GeneratedRegex(@"✓ [\w-]+: [1-9][0-9]* passed, 0 failed", RegexOptions.None, 1000)]
    private static partial Regex Passed();
}
