using Cove.Agent.Secrets;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Secrets;

public sealed class FileSecretsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Lines_are_names_and_values()
    {
        var secrets = FileSecrets.Read(Write("# comment\n\nGITHUB_TOKEN=ghp_12345678 \r\nQUOTED=\"with spaces \"\nEQUALS=a=b=c=d=e\n"));
        Assert.Equal("ghp_12345678", await secrets.FindAsync("GITHUB_TOKEN", default));
        Assert.Equal("with spaces ", await secrets.FindAsync("QUOTED", default));
        Assert.Equal("a=b=c=d=e", await secrets.FindAsync("EQUALS", default));
        Assert.Null(await secrets.FindAsync("OTHER", default));
    }

    [Theory]
    [InlineData("export TOKEN=ghp_12345678\n", "line 1")]
    [InlineData("\nghp_12345678\n", "line 2")]
    [InlineData("TOKEN=ghp_12345678\nTOKEN=ghp_87654321\n", "line 2")]
    [InlineData("TOKEN=ghp_123\n", "7 characters")]
    [InlineData("TOKEN=ghp_12\t345678\n", "control character")]
    [InlineData("1TOKEN=ghp_12345678\n", "line 1")]
    public void What_is_wrong_is_named_and_no_value_is_shown(string text, string named)
    {
        var failure = Assert.Throws<CoveException>(() => FileSecrets.Read(Write(text)));
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("ghp_", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_use_is_refused_with_the_fix(UnixFileMode mode)
    {
        var path = Write("TOKEN=ghp_12345678\n");
        File.SetUnixFileMode(path, mode);
        var failure = Assert.Throws<CoveException>(() => FileSecrets.Read(path));
        Assert.Equal("secrets_file", failure.Error.Code);
        Assert.Equal("chmod 600 " + path, failure.Error.Remediation);
    }

    [Fact]
    public void A_link_is_judged_by_what_it_leads_to()
    {
        var path = Write("TOKEN=ghp_12345678\n");
        var link = Path.Combine(_directory.Path, "link");
        File.CreateSymbolicLink(link, path);
        Assert.Equal(["TOKEN"], FileSecrets.Read(link).Names);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Throws<CoveException>(() => FileSecrets.Read(link));
    }

    [Fact]
    public void What_is_no_file_is_refused()
    {
        Assert.Contains("not there", Assert.Throws<CoveException>(() => FileSecrets.Read(Path.Combine(_directory.Path, "none"))).Message, StringComparison.Ordinal);
        Assert.Contains("no regular file", Assert.Throws<CoveException>(() => FileSecrets.Read("/dev/zero")).Message, StringComparison.Ordinal);
        Assert.Contains("no regular file", Assert.Throws<CoveException>(() => FileSecrets.Read(_directory.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_users_file_is_refused()
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "Only root can make a file of another user.");
        var path = Write("TOKEN=ghp_12345678\n");
        var stat = System.Diagnostics.Process.Start("chown", ["12345", path]);
        stat.WaitForExit();
        Assert.Equal(0, stat.ExitCode);
        Assert.Contains("another user (id 12345)", Assert.Throws<CoveException>(() => FileSecrets.Read(path)).Message, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var path = Path.Combine(_directory.Path, Guid.NewGuid().ToString("N"));
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
