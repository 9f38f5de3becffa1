using System.Formats.Tar;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>Ranges, archives and watches.</summary>
public abstract class FileStreamConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Theory]
    [InlineData(0L, null, "0123456789")]
    [InlineData(3L, 4L, "3456")]
    [InlineData(8L, 100L, "89")]
    [InlineData(9L, null, "9")]
    public async Task A_part_of_a_file_is_read(long start, long? length, string expected)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/f", "0123456789");
        await using var part = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/f", new FileRange(start, length));
        Assert.Equal(expected.Length, part.Length);
        using var reader = new StreamReader(part);
        Assert.Equal(expected, await reader.ReadToEndAsync());
    }

    [Theory]
    [InlineData(10L, null, "range_not_satisfiable")]
    [InlineData(-1L, null, "invalid_request")]
    [InlineData(0L, 0L, "invalid_request")]
    public async Task A_part_that_is_not_there_is_refused(long start, long? length, string code)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/f", "0123456789");
        Assert.Equal(code, (await RefusalAsync(() => sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/f", new FileRange(start, length)))).Code);
    }

    [Fact]
    public async Task A_directory_goes_out_and_into_another_sandbox_unchanged()
    {
        await using var from = await SandboxAsync();
        AssertOk(await from.ShellAsync("""
            mkdir -p d/deep/er d/empty; head -c 3000000 /dev/urandom > d/big; printf x > d/deep/er/small; : > d/none; chmod 750 d/deep/er/small
            ln -s ../none d/deep/link; ln -s /etc/passwd d/out; long=$(printf 'é%.0s' $(seq 100)); echo long > "d/$long"; printf 'é' > "$(printf 'd/\377odd')"; mkfifo d/pipe
            touch -d @1234567890.5 d/none
            """));
        await using var to = await SandboxAsync();
        await using (var archive = await from.Cove.ReadArchiveAsync(from.Id, "/workspace/d"))
        {
            await Hang.WatchAsync(to.Cove.WriteArchiveAsync(to.Id, "/workspace/d", archive));
        }

        const string Sums = "cd d; find . ! -type p -printf '%P %y %m %l %T@\\n' | grep -av '^ d\\|^[^ ]* d' | sort; find . -type f -exec sha256sum {} + | sort";
        var before = (await from.ShellAsync(Sums)).Stdout;
        Assert.Equal(before, (await to.ShellAsync(Sums)).Stdout);
        Assert.Contains("odd f", before, StringComparison.Ordinal);
        Assert.Contains("none f 644  1234567890.5", before, StringComparison.Ordinal);
        Assert.Equal("", (await to.ShellAsync("find d -type p")).Stdout);
    }

    [Fact]
    public async Task What_it_packs_other_programs_read_and_the_other_way_round()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("mkdir -p d/e; echo one > d/e/f; ln -s e/f d/l; echo two > d/n"));
        await using var archive = await sandbox.Cove.ReadArchiveAsync(sandbox.Id, "/workspace/d");
        await using var reader = new TarReader(archive);
        var names = new List<string>();
        while (await reader.GetNextEntryAsync() is { } entry)
        {
            names.Add($"{entry.Name} {entry.EntryType} {entry.LinkName}");
        }

        Assert.Equal(["./ Directory ", "e/ Directory ", "e/f RegularFile ", "l SymbolicLink e/f", "n RegularFile "], names);
        foreach (var format in new[] { "gnu", "pax", "ustar" })
        {
            AssertOk(await sandbox.ShellAsync($"cd d && ln -f e/f hard && tar --format={format} -cf /tmp/{format}.tar ."));
            await using var made = await sandbox.Cove.ReadFileAsync(sandbox.Id, $"/tmp/{format}.tar");
            await sandbox.Cove.WriteArchiveAsync(sandbox.Id, $"/workspace/{format}", made);
            Assert.Equal("", (await sandbox.ShellAsync($"diff -r d {format} && rm d/hard")).Stdout);
        }
    }

    [Fact]
    public async Task An_archive_of_what_is_not_there_is_refused_and_one_that_is_cut_says_what_it_unpacked()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("not_found", (await RefusalAsync(() => sandbox.Cove.ReadArchiveAsync(sandbox.Id, "/workspace/none"))).Code);
        var whole = Archive(("a", "1"), ("b", new string('2', 5000)));
        var refusal = await RefusalAsync(() => sandbox.Cove.WriteArchiveAsync(sandbox.Id, "/workspace/d", new MemoryStream(whole[..3000])));
        Assert.Equal("bad_archive", refusal.Code);
        Assert.Contains("1 entries", refusal.Message, StringComparison.Ordinal);
        Assert.Equal("a\n", (await sandbox.ShellAsync("ls -A d")).Stdout);
        Assert.Equal("bad_archive", (await RefusalAsync(() => sandbox.Cove.WriteArchiveAsync(sandbox.Id, "/workspace/d", new MemoryStream()))).Code);
        Assert.Equal("bad_archive", (await RefusalAsync(() => sandbox.Cove.WriteArchiveAsync(sandbox.Id, "/workspace/d", new MemoryStream(new byte[600].Select(_ => (byte)7).ToArray())))).Code);
    }

    [Fact]
    public async Task An_archive_larger_than_the_disk_is_refused_and_the_sandbox_goes_on()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { DiskBytes = 16 << 20 });
        var archive = Archive(("a", new string('1', 4 << 20)), ("b", new string('2', 30 << 20)));
        Assert.Equal("no_space", (await RefusalAsync(() => sandbox.Cove.WriteArchiveAsync(sandbox.Id, "/workspace", new MemoryStream(archive)))).Code);
        Assert.Equal("a\n", (await sandbox.ShellAsync("ls -A")).Stdout);
    }

    [Fact]
    public async Task Changes_are_told_as_they_happen()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("mkdir -p d/sub; touch d/old"));
        await using var flat = await WatchAsync(sandbox, "/workspace/d", recursive: false);
        await using var deep = await WatchAsync(sandbox, "/workspace/d", recursive: true);
        AssertOk(await sandbox.ShellAsync("echo x > d/new; echo y >> d/old; echo z > d/sub/inner; mkdir -p d/one/two; rm d/new"));
        await sandbox.WriteAsync("/workspace/d/one/two/late", "from outside");
        await deep.SeesAsync(FileChangeKind.Created, "/workspace/d/one/two/late");
        AssertOk(await sandbox.ShellAsync("mv d/old d/moved; rm -r d"));
        await flat.EndAsync();
        await deep.EndAsync();
        Assert.DoesNotContain(deep.Seen, change => change.Path.Contains(".cove-", StringComparison.Ordinal)); // what is still being uploaded is no news
        Assert.Contains((FileChangeKind.Created, "/workspace/d/new"), flat.Seen);
        Assert.Contains((FileChangeKind.Removed, "/workspace/d/new"), flat.Seen);
        Assert.Contains((FileChangeKind.Modified, "/workspace/d/old"), flat.Seen);
        Assert.Contains((FileChangeKind.Removed, "/workspace/d/old"), flat.Seen);
        Assert.Contains((FileChangeKind.Created, "/workspace/d/moved"), flat.Seen);
        Assert.DoesNotContain(flat.Seen, change => change.Path.Contains("inner", StringComparison.Ordinal));
        Assert.Contains((FileChangeKind.Created, "/workspace/d/sub/inner"), deep.Seen);
        Assert.Contains((FileChangeKind.Created, "/workspace/d/one/two"), deep.Seen);
    }

    [Fact]
    public async Task A_flood_of_changes_is_one_overflow_and_the_watch_goes_on()
    {
        await using var sandbox = await SandboxAsync();
        await using var watch = await WatchAsync(sandbox, "/workspace", recursive: true);
        AssertOk(await sandbox.PythonAsync("""
            import os
            for i in range(300):
                os.makedirs(f'd{i % 30}/e{i}', exist_ok=True)
            for i in range(20000):
                open(f'd{i % 30}/f{i % 2000}', 'w').close()
            """));
        await watch.SeesAsync(FileChangeKind.Overflow, "/workspace");
        // Again and again: what happens before the watch has caught up may still be part of the overflow.
        var after = sandbox.Start(new RunRequest { ShellLine = "while [ ! -e /tmp/seen ]; do touch d1/e1/after; rm d1/e1/after; sleep 0.1; done", Timeout = Hang.Limit });
        await watch.SeesAsync(FileChangeKind.Created, "/workspace/d1/e1/after");
        await sandbox.WriteAsync("/tmp/seen", "");
        AssertOk(await after.Completion);
    }

    [Fact]
    public async Task The_end_of_the_sandbox_ends_a_watch_and_there_are_so_many_at_most()
    {
        var sandbox = await SandboxAsync();
        var watches = new List<Watching>();
        for (var i = 0; i < 8; i++)
        {
            watches.Add(await WatchAsync(sandbox, "/workspace", recursive: false));
        }

        Assert.Equal("too_many_transfers", (await RefusalAsync(() => WatchAsync(sandbox, "/workspace", recursive: false))).Code);
        await watches[0].DisposeAsync();
        watches[0] = await WatchAsync(sandbox, "/workspace", recursive: false);
        Assert.Equal("too_many_transfers", (await RefusalAsync(() => sandbox.Cove.ReadArchiveAsync(sandbox.Id, "/workspace"))).Code);
        await sandbox.DisposeAsync();
        foreach (var watch in watches)
        {
            await watch.EndAsync();
            await watch.DisposeAsync();
        }
    }

    internal static byte[] Archive(params (string Name, string Content)[] files)
    {
        var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var (name, content) in files)
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
            }
        }

        return archive.ToArray();
    }

    private static async Task<Watching> WatchAsync(TestSandbox sandbox, string path, bool recursive)
    {
        var watching = new Watching(sandbox.Cove.WatchFilesAsync(sandbox.Id, path, recursive).GetAsyncEnumerator());
        await watching.SeesAsync(FileChangeKind.Started, path);
        return watching;
    }

    private sealed class Watching(IAsyncEnumerator<FileChange> changes) : IAsyncDisposable
    {
        public List<(FileChangeKind Kind, string Path)> Seen { get; } = [];

        public async Task SeesAsync(FileChangeKind kind, string path)
        {
            do
            {
                Assert.True(await Hang.WatchAsync(changes.MoveNextAsync().AsTask()), $"The watch ended and never told of {kind} {path}: {string.Join(", ", Seen.TakeLast(50))}");
                Seen.Add((changes.Current.Kind, changes.Current.Path));
            }
            while (Seen[^1] != (kind, path));
        }

        public async Task EndAsync()
        {
            while (await Hang.WatchAsync(changes.MoveNextAsync().AsTask()))
            {
                Seen.Add((changes.Current.Kind, changes.Current.Path));
            }
        }

        public ValueTask DisposeAsync() => changes.DisposeAsync();
    }
}
