using Cove.Tests.Support;
using Cove.Cli.Running;
using Xunit;

namespace Cove.Tests.Cli;

/// <summary>What a sandbox calls its files must not matter to the host.</summary>
public sealed class OutDirectoryTests : IDisposable
{
    private readonly DirectoryInfo _place = TemporaryPlace.Make();

    private string Out => Path.Combine(_place.FullName, "out");

    public void Dispose() => _place.Delete(recursive: true);

    [Theory]
    [InlineData("/a.txt", "a.txt")]
    [InlineData("/a/b c/ü.txt", "a/b c/ü.txt")]
    [InlineData("//a///b", "a/b")]
    [InlineData("/a\nb\u001b[31m", "a_b_[31m")]
    [InlineData("/a\0b", "a_b")]
    [InlineData("/-rf", "-rf")]
    [InlineData("/..x", "..x")]
    [InlineData("/../etc/passwd", null)]
    [InlineData("/a/../../b", null)]
    [InlineData("/a/..", null)]
    [InlineData("/.", null)]
    [InlineData("/", null)]
    [InlineData("", null)]
    public void Names(string path, string? safe) => Assert.Equal(safe, OutDirectory.SafeName(path));

    [Fact]
    public void A_name_that_no_file_system_takes_is_none()
    {
        Assert.Null(OutDirectory.SafeName("/" + new string('ü', 128)));
        Assert.Null(OutDirectory.SafeName(string.Concat(Enumerable.Repeat("/a", 65))));
    }

    [Fact]
    public async Task A_file_is_saved_with_its_directories_and_the_bits_that_may_be()
    {
        using var directory = new OutDirectory(Out);
        await SaveAsync(directory, "a/b/run.sh", "hi", 0xFFF);

        Assert.Equal("hi", File.ReadAllText(Path.Combine(Out, "a/b/run.sh")));
        var mode = File.GetUnixFileMode(Path.Combine(Out, "a/b/run.sh"));
        Assert.True(mode.HasFlag(UnixFileMode.UserExecute));
        Assert.False(mode.HasFlag(UnixFileMode.SetUser) || mode.HasFlag(UnixFileMode.OtherWrite) || mode.HasFlag(UnixFileMode.GroupWrite));
        Assert.Equal("run.sh", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(Path.Combine(Out, "a/b")))));
    }

    [Fact]
    public async Task A_link_that_waits_under_the_name_is_replaced_not_followed()
    {
        var victim = Path.Combine(_place.FullName, "victim");
        await File.WriteAllTextAsync(victim, "untouched");
        using var directory = new OutDirectory(Out);
        File.CreateSymbolicLink(Path.Combine(Out, "report.csv"), victim);

        await SaveAsync(directory, "report.csv", "new", 0x1A4);

        Assert.Equal("untouched", File.ReadAllText(victim));
        Assert.Null(new FileInfo(Path.Combine(Out, "report.csv")).LinkTarget);
        Assert.Equal("new", File.ReadAllText(Path.Combine(Out, "report.csv")));
    }

    [Fact]
    public async Task A_link_in_the_place_of_a_directory_is_refused()
    {
        var elsewhere = Directory.CreateDirectory(Path.Combine(_place.FullName, "elsewhere")).FullName;
        using var directory = new OutDirectory(Out);
        Directory.CreateSymbolicLink(Path.Combine(Out, "sub"), elsewhere);

        await Assert.ThrowsAsync<IOException>(() => SaveAsync(directory, "sub/a.txt", "x", 0x1A4));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
    }

    [Fact]
    public async Task A_directory_under_the_name_is_left_alone()
    {
        using var directory = new OutDirectory(Out);
        Directory.CreateDirectory(Path.Combine(Out, "a.txt"));
        await Assert.ThrowsAsync<IOException>(() => SaveAsync(directory, "a.txt", "x", 0x1A4));
        Assert.Equal("a.txt", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(Out))));
    }

    [Fact]
    public async Task What_could_not_be_read_whole_leaves_nothing()
    {
        using var directory = new OutDirectory(Out);
        await Assert.ThrowsAsync<NotSupportedException>(() => directory.SaveAsync("a.txt", new Unreadable(), 0x1A4, CancellationToken.None));
        Assert.Empty(Directory.GetFileSystemEntries(Out));
    }

    private static Task SaveAsync(OutDirectory directory, string name, string content, int mode) =>
        directory.SaveAsync(name, new MemoryStream(System.Text.Encoding.UTF8.GetBytes(content)), mode, CancellationToken.None);

    private sealed class Unreadable : MemoryStream
    {
        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
