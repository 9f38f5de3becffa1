using Cove.Cli.Shell;
using Xunit;

namespace Cove.Tests.Cli;

public sealed class CompletenessTests
{
    [Theory]
    [InlineData("1 + 1", true)]
    [InlineData("", true)]
    [InlineData(":help", true)]
    [InlineData("f(1,", false)]
    [InlineData("f(1,\n2)", true)]
    [InlineData("x = {'a': [1, 2", false)]
    [InlineData("x = 'a(b'", true)]
    [InlineData("x = 'unclosed", true)]
    [InlineData("x = '''a", false)]
    [InlineData("x = '''a\nb'''", true)]
    [InlineData("x = \"\"\"a'''b", false)]
    [InlineData("x = 1 + \\", false)]
    [InlineData("x = 1 + \\\n2", true)]
    [InlineData("for i in range(3):", false)]
    [InlineData("for i in range(3):\n    print(i)", false)]
    [InlineData("for i in range(3):\n    print(i)\n", true)]
    [InlineData("if x:  # note", false)]
    [InlineData("x = 1  # a: (b", true)]
    [InlineData("@decorator", false)]
    [InlineData("@decorator\ndef f():\n    pass\n", true)]
    [InlineData("x = {1: 2}", true)]
    [InlineData("x[1:]", true)]
    [InlineData("d = {\n 'a':\n", false)]
    [InlineData("f(\n\n", true)]
    public void Python(string text, bool complete) => Assert.Equal(complete, Completeness.IsComplete(Language.Python, text));

    [Theory]
    [InlineData("else: pass", true)]
    [InlineData("elif x:", true)]
    [InlineData("except ValueError:", true)]
    [InlineData("    return 1", true)]
    [InlineData("elsewhere = 1", false)]
    [InlineData("print(1)", false)]
    public void What_goes_on_after_an_empty_line(string line, bool continues) => Assert.Equal(continues, Completeness.Continues(Language.Python, line));

    [Theory]
    [InlineData("echo hi", true)]
    [InlineData("echo 'hi", false)]
    [InlineData("echo \"a $(b", false)]
    [InlineData("echo it\\'s", true)]
    [InlineData("echo a \\", false)]
    [InlineData("for i in 1 2; do", false)]
    [InlineData("for i in 1 2", false)]
    [InlineData("for i in 1 2; do\necho $i\ndone", true)]
    [InlineData("if true; then", false)]
    [InlineData("if true; then echo a; fi", true)]
    [InlineData("while read x; do if a; then b; fi; done", true)]
    [InlineData("f() {", false)]
    [InlineData("f() {\necho a\n}", true)]
    [InlineData("case x in", false)]
    [InlineData("case x in a) b;; esac", true)]
    [InlineData("cat <<EOF", false)]
    [InlineData("cat <<EOF\nhi", false)]
    [InlineData("cat <<'EOF'\nit's\nEOF", true)]
    [InlineData("a &&", false)]
    [InlineData("a |", false)]
    [InlineData("echo done", true)]
    [InlineData("echo if", true)]
    [InlineData("# it's a comment", true)]
    [InlineData("echo ${x}", true)]
    [InlineData("cat <<< 'x'", true)]
    public void Bash(string text, bool complete) => Assert.Equal(complete, Completeness.IsComplete(Language.Bash, text));

    [Theory]
    [InlineData("1 + 1", true)]
    [InlineData("function f() {", false)]
    [InlineData("function f() {\n return 1\n}", true)]
    [InlineData("`a", false)]
    [InlineData("`a\nb`", true)]
    [InlineData("/* a", false)]
    [InlineData("1 // (", true)]
    [InlineData("'(' ", true)]
    public void JavaScript(string text, bool complete) => Assert.Equal(complete, Completeness.IsComplete(Language.JavaScript, text));

    [Fact]
    public void A_pipe_is_read_cell_by_cell()
    {
        const string script = "x = 1\n\ndef f():\n    a = 1\n\n    return a\n\nprint(f())\nif x:\n    1\nelse:\n    2\n\nlast = (\n1)\n";
        var reader = new CellReader(Language.Python, new History(null), new StringReader(script));

        var cells = new List<string>();
        while (reader.Read() is { } cell)
        {
            cells.Add(cell);
        }

        Assert.Equal(["x = 1", "", "def f():\n    a = 1\n\n    return a", "print(f())", "if x:\n    1\nelse:\n    2", "last = (\n1)"], cells);
    }
}
