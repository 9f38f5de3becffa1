using System.Diagnostics;
using System.Text.RegularExpressions;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Docs;

/// <summary>Every command the README shows is run as a reader would run it.</summary>
public sealed partial class Snippets
{
    /// <summary>A test that runs the tests would not end.</summary>
    private const string TheTestsThemselves = "./test";

    public static TheoryData<string> Commands => [.. CommandsOf("README.md").Where(c => c != TheTestsThemselves)];

    [Fact]
    public void The_readme_begins_with_the_two_commands() =>
        Assert.Equal(["./cove run examples/sales_report.py --file examples/sales.csv --out out/", TheTestsThemselves], CommandsOf("README.md").Take(2));

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_command_of_the_readme_does_what_it_says(string command)
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "The commands are tried once, as the user who owns the checkout.");
        var start = new ProcessStartInfo("/bin/bash")
        {
            UseShellExecute = false, WorkingDirectory = LiveEngine.Repository, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);

        // The one that shows an error ends as the program did; all others succeed.
        var expected = command.Contains("1/0", StringComparison.Ordinal) ? 1 : 0;
        Assert.True(process.ExitCode == expected, $"{command} ended with {process.ExitCode}\n{await output}\n{await errors}");
        Assert.NotEmpty(await output);
    }

    [Fact]
    public void Every_link_between_the_documents_leads_somewhere()
    {
        foreach (var file in Directory.EnumerateFiles(LiveEngine.Repository, "*.md", SearchOption.TopDirectoryOnly))
        {
            foreach (var target in Link().Matches(File.ReadAllText(file)).Select(m => m.Groups["target"].Value))
            {
                Assert.True(Path.Exists(Path.Combine(LiveEngine.Repository, target)), $"{Path.GetFileName(file)} links to {target}, which is not there.");
            }
        }
    }

    [Fact]
    public void What_the_specification_names_as_proof_exists()
    {
        var text = File.ReadAllText(Path.Combine(LiveEngine.Repository, "SPECIFICATION.md"));
        var guest = Proof().Matches(text).Where(m => m.Groups["guest"].Success).Select(m => Path.Combine("guest", "python", m.Groups["path"].Value)).ToList();
        var suites = Proof().Matches(text).Where(m => !m.Groups["guest"].Success).Select(m => Path.Combine("tests", "Cove.Tests", m.Groups["path"].Value)).ToList();
        Assert.NotEmpty(guest);
        Assert.NotEmpty(suites);
        Assert.SkipUnless(Directory.Exists(Path.Combine(LiveEngine.Repository, "tests")), "Only the checkout holds the tests' sources.");
        Assert.All([.. guest, .. suites], path => Assert.True(
            Path.Exists(Path.Combine(LiveEngine.Repository, path)) || File.Exists(Path.Combine(LiveEngine.Repository, path + ".cs")), path));
    }

    [GeneratedRegex(@"`(?<guest>guest: )?(?<path>(tests/[a-z]+|[A-Z]\w+(/\w*)?Tests|(Conformance|Escapes|Chaos|Leaks|Templates|Docs|Guest|Runs)/\w*))`", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Proof();

    [GeneratedRegex(@"\]\((?<target>[^)#:]+)\)", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Link();

    private static List<string> CommandsOf(string document)
    {
        var commands = new List<string>();
        var inShell = false;
        foreach (var line in File.ReadLines(Path.Combine(LiveEngine.Repository, document)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                inShell = line == "```sh";
            }
            else if (inShell && line.Length > 0)
            {
                commands.Add(line);
            }
        }

        return commands;
    }
}
