using System.Text;
using Cove.Agent.Permissions;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Permissions;

/// <summary>What the rules allow, run by a real bash in a sandbox whose programs do nothing but write down that they were started.</summary>
public sealed class RealBashTests(LiveEngine live)
{
    /// <summary>As <c>printf %q</c> spells what was started, with line ends among its arguments and without.</summary>
    private static readonly string[] _wanted = [@"npm run\ test", "npm $'run test", "git status", "git $'status"];

    private static readonly string[] _pieces =
    [
        "npm run test", "npm run test", "npm run test", "git status", "git status", "evil", "evil x", " ", " ", "\n", ";", "&&", "||", "|", "&", "|&", "(", ")", "{ ", "; }", "$(", "`", "\"", "'", "\\", "\\\n", "#", "$", "${", "}", "<(", ">(", "<<E\n", "\nE\n", "<<'E'\n",
        "<<-E\n", "<<<", " > /dev/null", " 2>&1", "<", "!", " time ", "if ", "; then ", "; fi", "; do ", "; done", "for x in ", "eval ", "exec ", "env ", "CI=1 ", "X=1 ", "PATH=/tmp ", "bash -c ", "sh -c ", "xargs ", "timeout 5 ", "nohup ", "command ", "-c", "$'", "\\'", "{a,b}",
        "*", "=", "()", "$((", "))", "$\\\n", "\"$\\\n(evil)\"", "[[ ", " ]]", "case x in x)", ";;", "esac", "function ", "$X", "${X}", "a", "E",
    ];

    [Fact]
    public async Task Nothing_that_is_allowed_starts_anything_else()
    {
        var rules = new ToolRules(allow: ["Bash(npm run test:*)", "Bash(git status)"]);
        var commands = Commands(rules, 400);
        Assert.True(commands.Count >= 100, $"Only {commands.Count} of the generated commands are allowed: the rules allow too little to be tried.");
        await using var sandbox = await TestSandbox.CreateAsync(await live.GetAsync());
        await sandbox.WriteAsync("/workspace/commands", string.Join('\n', commands.Select(c => Convert.ToBase64String(Encoding.UTF8.GetBytes(c)))) + "\n");
        var run = await sandbox.ShellAsync(
            """
            mkdir -p stubs place
            for name in npm git evil; do printf '#!/bin/bash\nprintf "%%s\\t%%s %%q\\n" "$CASE" "${0##*/}" "$*" >> /workspace/log\nexit 0\n' > stubs/$name; chmod 755 stubs/$name; done
            for name in timeout nohup env xargs bash sh; do ln -s /usr/bin/$name stubs/$name; done
            touch log
            export CASE=0
            cd place
            while read -r line; do
                CASE=$((CASE + 1))
                PATH=/workspace/stubs /usr/bin/timeout 10 bash -c "$(/usr/bin/base64 -d <<< "$line")" < /dev/null > /dev/null 2>&1
            done < ../commands
            ls -A > ../left
            cat ../log
            """,
            TimeSpan.FromMinutes(5));
        Assert.True(run.Outcome == RunOutcome.Ok, run.ToString());
        var started = run.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToArray();
        Assert.NotEmpty(started);
        Assert.All(started, entry => Assert.True(_wanted.Any(w => entry[1].StartsWith(w, StringComparison.Ordinal)), $"{entry[1]} was started by: {commands[int.Parse(entry[0]) - 1]}"));
        Assert.Equal("", await sandbox.ReadAsync("/workspace/left"));
    }

    /// <summary>Texts put together from what shells are made of, those among them that the rules allow.</summary>
    private static List<string> Commands(ToolRules rules, int most)
    {
        var random = new Random(20_261_121);
        HashSet<string> found = [];
        for (var i = 0; i < 400_000 && found.Count < most; i++)
        {
            var text = (random.Next(2) == 0 ? "npm run test" : "") + string.Concat(Enumerable.Range(0, random.Next(2, 8)).Select(_ => _pieces[random.Next(_pieces.Length)]));
            if (CommandRuleTests.Decide(rules, text).Permission == Permission.Allow)
            {
                found.Add(text);
            }
        }

        return [.. found];
    }
}
