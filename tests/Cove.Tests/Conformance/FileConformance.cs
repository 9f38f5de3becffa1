using System.Security.Cryptography;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class FileConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task What_is_written_is_there_for_the_guest_and_the_other_way_round()
    {
        await using var sandbox = await SandboxAsync();
        var entry = await sandbox.WriteAsync("/workspace/a/b/c.txt", "from outside");
        Assert.Equal(("/workspace/a/b/c.txt", FileKind.File, 12L, 0x1A4), (entry.Path, entry.Kind, entry.SizeBytes, entry.Mode));
        Assert.Equal("from outside", await sandbox.PrintedAsync("print(open('a/b/c.txt').read(), end='')"));
        AssertOk(await sandbox.PythonAsync("open('/home/user/out', 'w').write('from inside')"));
        Assert.Equal("from inside", await sandbox.ReadAsync("/home/user/out"));
        Assert.Equal("user user\n", (await sandbox.ShellAsync("stat -c '%U %G' a/b/c.txt")).Stdout);
    }

    [Fact]
    public async Task Bytes_of_every_kind_and_odd_names_survive()
    {
        await using var sandbox = await SandboxAsync();
        var bytes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        const string Path = "/workspace/ -é☃\n'\"$x";
        await sandbox.Cove.WriteFileAsync(sandbox.Id, Path, new MemoryStream(bytes));
        await using var read = await sandbox.Cove.ReadFileAsync(sandbox.Id, Path);
        Assert.Equal(256, read.Length);
        var back = new byte[256];
        await read.ReadExactlyAsync(back);
        Assert.Equal(bytes, back);
        Assert.Equal(Path, (await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace")).Single().Path);
    }

    [Fact]
    public async Task Fifty_megabytes_go_up_and_down_unchanged()
    {
        await using var sandbox = await SandboxAsync();
        var bytes = new byte[50 << 20];
        Random.Shared.NextBytes(bytes);
        await sandbox.Cove.WriteFileAsync(sandbox.Id, "/workspace/big", new MemoryStream(bytes));
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(bytes)), (await sandbox.ShellAsync("sha256sum big")).Stdout, StringComparison.Ordinal);
        await using var read = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/big");
        Assert.Equal(SHA256.HashData(bytes), await SHA256.HashDataAsync(read));
    }

    [Fact]
    public async Task A_listing_is_sorted_and_as_deep_as_asked()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("mkdir -p d/e; echo 12345 > d/e/f; touch b a; ln -s /etc/passwd link; mkfifo pipe"));
        var top = await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace");
        Assert.Equal(["a", "b", "d", "link", "pipe"], top.Select(e => e.Path["/workspace/".Length..]));
        Assert.Equal([FileKind.File, FileKind.File, FileKind.Directory, FileKind.Symlink, FileKind.Other], top.Select(e => e.Kind));
        Assert.Equal("/etc/passwd", top[3].LinkTarget);
        var deep = await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace", depth: 3);
        Assert.Equal(6, deep.Single(e => e.Path == "/workspace/d/e/f").SizeBytes);
        Assert.Equal(7, deep.Count);
    }

    [Fact]
    public async Task A_replaced_file_is_never_seen_half_written()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/f", new string('a', 3_000_000));
        var watcher = sandbox.StartPython(
            "import os\nprint('in', flush=True)\nseen = set()\nwhile not os.path.exists('/tmp/go'):\n    t = open('f').read(); seen.add((len(t), t[0], t[-1]))\nt = open('f').read(); seen.add((len(t), t[0], t[-1]))\nprint(sorted(seen))");
        await watcher.SaidAsync("in");
        await sandbox.WriteAsync("/workspace/f", new string('b', 5_000_000));
        await sandbox.WriteAsync("/tmp/go", "");
        Assert.Matches(@"^in\n\[(\(3000000, 'a', 'a'\), )?\(5000000, 'b', 'b'\)\]\n$", (await watcher.Completion).Stdout);
    }

    [Fact]
    public async Task A_write_that_breaks_off_leaves_the_old_file_and_nothing_else()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/f", "old");
        await Assert.ThrowsAsync<IOException>(() => sandbox.Cove.WriteFileAsync(sandbox.Id, "/workspace/f", new BreakingStream(2 << 20)));
        Assert.Equal("old", await sandbox.ReadAsync("/workspace/f"));
        Assert.Single(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace"));
        await Hang.UntilAsync(async () => (await sandbox.Cove.GetUsageAsync(sandbox.Id)).DiskBytes < 1 << 20, "the space was given back");
    }

    [Fact]
    public async Task Modes_are_set_and_a_directory_can_be_made_moved_and_removed()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/run.sh", "#!/bin/sh\necho ran", new FileWriteOptions { Mode = 0x1ED });
        Assert.Equal("ran\n", (await sandbox.ShellAsync("./run.sh")).Stdout);
        Assert.Equal(FileKind.Directory, (await sandbox.Cove.MakeDirectoryAsync(sandbox.Id, "/workspace/x/y")).Kind);
        await sandbox.WriteAsync("/workspace/x/y/z", "z");
        Assert.Equal("/workspace/moved", (await sandbox.Cove.MoveFileAsync(sandbox.Id, "/workspace/x", "/workspace/moved")).Path);
        Assert.Equal("z", await sandbox.ReadAsync("/workspace/moved/y/z"));
        await sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/moved", recursive: true);
        await sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/run.sh");
        Assert.Empty(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace"));
    }

    [Fact]
    public async Task An_open_file_may_be_sought_in_and_is_read_to_its_length_at_opening()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/f", "0123456789");
        await using var file = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/f");
        AssertOk(await sandbox.ShellAsync("echo more >> f"));
        file.Seek(7, SeekOrigin.Begin);
        using var reader = new StreamReader(file);
        Assert.Equal("789", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_sparse_file_of_a_terabyte_is_just_a_number()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("truncate -s 1T huge"));
        var entry = await sandbox.Cove.StatFileAsync(sandbox.Id, "/workspace/huge");
        Assert.Equal((1L << 40, 0L), (entry.SizeBytes, entry.AllocatedBytes));
        await using var file = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/huge");
        file.Seek(-1, SeekOrigin.End);
        Assert.Equal(0, file.ReadByte());
    }

    [Fact]
    public async Task Many_files_are_written_at_once()
    {
        await using var sandbox = await SandboxAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => sandbox.WriteAsync($"/workspace/{i}", new string('x', 10_000 + i))));
        Assert.Equal("60 601770\n", (await sandbox.ShellAsync("echo $(ls | wc -l) $(cat * | wc -c)")).Stdout);
    }

    /// <summary>Breaks off after so many bytes.</summary>
    private sealed class BreakingStream(int bytes) : MemoryStream(new byte[bytes])
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is > 0 and var count ? count : throw new IOException("the line went dead");
    }
}
