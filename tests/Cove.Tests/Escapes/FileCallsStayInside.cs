using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Escapes;

/// <summary>The file calls, which the host's side makes, never follow what a guest laid out for them, never wait for it, and keep to its limits.</summary>
public abstract class FileCallsStayInside(IEngineUnderAttack engine) : EscapeSuite(engine)
{
    private static readonly TimeSpan _prompt = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("/etc/shadow")]
    [InlineData("/proc/self/environ")]
    [InlineData("/proc/1/root/etc/passwd")]
    [InlineData("/proc/self/fd/4/../../../etc/passwd")]
    [InlineData("/dev/zero")]
    [InlineData("../../../../../../etc/passwd")]
    [InlineData("..")]
    [InlineData("/")]
    public async Task A_link_leads_to_nothing_of_the_host(string target)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.ShellAsync($"ln -s '{target}' link; mkdir d; ln -s '{target}' d/link; ln -s '{Path.GetDirectoryName(target)}' folder");
        foreach (var path in new[] { "/workspace/link", "/workspace/d/link", "/workspace/d/../link", "/workspace/folder/" + Path.GetFileName(target), "/workspace/link/x" })
        {
            var error = await Assert.ThrowsAsync<CoveException>(async () =>
            {
                await using var stream = await sandbox.Cove.ReadFileAsync(sandbox.Id, path).WaitAsync(_prompt);
            });
            Assert.NotEqual(ErrorCategory.Infrastructure, error.Error.Category);
        }

        Assert.Equal(FileKind.Symlink, (await sandbox.Cove.StatFileAsync(sandbox.Id, "/workspace/link")).Kind);
    }

    [Theory]
    [InlineData("/workspace/../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("/proc/self/root/etc/passwd")]
    [InlineData("../../etc/passwd")]
    [InlineData("/dev/null")]
    [InlineData("/dev/shm/x")]
    [InlineData("/")]
    public async Task A_path_that_points_out_is_refused(string path)
    {
        await using var sandbox = await SandboxAsync();
        await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.ReadFileAsync(sandbox.Id, path));
        await Assert.ThrowsAsync<CoveException>(() => WriteAsync(sandbox, path, "x"));
        await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.RemoveFileAsync(sandbox.Id, path, recursive: true));
        await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.ListFilesAsync(sandbox.Id, path));
    }

    [Fact]
    public async Task Writing_moving_and_removing_through_links_changes_nothing_of_the_host()
    {
        await using var sandbox = await SandboxAsync();
        var folder = TemporaryPlace.Make().FullName;
        try
        {
            await File.WriteAllTextAsync(folder + "/kept", "kept");
            await sandbox.ShellAsync($"ln -s '{folder}' out; ln -s '{folder}/kept' file; ln -s '{folder}/new' new; echo mine > mine");
            foreach (var action in new Func<Task>[]
            {
                () => WriteAsync(sandbox, "/workspace/file", "changed"),
                () => WriteAsync(sandbox, "/workspace/new", "made"),
                () => WriteAsync(sandbox, "/workspace/out/kept", "changed"),
                () => WriteAsync(sandbox, "/workspace/out/new", "made"),
                () => sandbox.Cove.MakeDirectoryAsync(sandbox.Id, "/workspace/out/folder"),
                () => sandbox.Cove.MoveFileAsync(sandbox.Id, "/workspace/mine", "/workspace/out/mine", overwrite: true),
                () => sandbox.Cove.MoveFileAsync(sandbox.Id, "/workspace/out/kept", "/workspace/stolen", overwrite: true),
                () => sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/out/kept"),
                () => sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/out", recursive: true),
                () => sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/file"),
            })
            {
                // Refused, or done to the sandbox's own link: both are well.
                await Record.ExceptionAsync(action);
            }

            Assert.Equal(["kept"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
            Assert.Equal("kept", await File.ReadAllTextAsync(folder + "/kept"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Fifos_sockets_and_terminals_are_named_and_never_waited_for()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("import os, socket; os.mkfifo('/workspace/fifo'); s = socket.socket(socket.AF_UNIX); s.bind('/workspace/socket'); os.symlink('fifo', '/workspace/link')");
        foreach (var name in new[] { "fifo", "socket", "link" })
        {
            await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/" + name).WaitAsync(_prompt));
            await Record.ExceptionAsync(() => WriteAsync(sandbox, "/workspace/" + name + "/x", "x").WaitAsync(_prompt));
        }

        Assert.Equal(FileKind.Other, (await sandbox.Cove.StatFileAsync(sandbox.Id, "/workspace/fifo").WaitAsync(_prompt)).Kind);
        Assert.Contains(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace").WaitAsync(_prompt), e => e.Kind == FileKind.Other);
        // A write replaces the name or is refused; it never opens what lies there.
        var written = await Record.ExceptionAsync(() => WriteAsync(sandbox, "/workspace/fifo", "x").WaitAsync(_prompt));
        Assert.True(written is null or CoveException, written?.ToString());
    }

    [Fact]
    public async Task A_sparse_file_of_a_terabyte_costs_nothing()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("f = open('/workspace/sparse', 'wb'); f.truncate(1 << 40)");
        var entry = await sandbox.Cove.StatFileAsync(sandbox.Id, "/workspace/sparse");
        Assert.Equal(1L << 40, entry.SizeBytes);
        Assert.True(entry.AllocatedBytes < 1 << 20);
        await using (var stream = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/sparse"))
        {
            var buffer = new byte[1 << 20];
            Assert.Equal(buffer.Length, await stream.ReadAtLeastAsync(buffer, buffer.Length));
            Assert.DoesNotContain(buffer, b => b != 0);
        }

        Assert.Contains(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace"), e => e.SizeBytes == 1L << 40);
        await sandbox.Cove.MoveFileAsync(sandbox.Id, "/workspace/sparse", "/workspace/moved");
        await sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/moved");
    }

    [Fact]
    public async Task A_file_swapped_for_a_link_at_the_wrong_moment_gives_nothing_away()
    {
        await using var sandbox = await SandboxAsync();
        var folder = TemporaryPlace.Make().FullName;
        var secret = Attack.NewSecret();
        try
        {
            await File.WriteAllTextAsync(folder + "/file", secret);
            await sandbox.PythonAsync($$"""
                import os, subprocess
                os.makedirs("/workspace/real/inner"); open("/workspace/real/file", "w").write("mine")
                os.symlink("{{folder}}", "/workspace/evil")
                open("/workspace/a", "w").write("mine"); os.symlink("{{folder}}/file", "/workspace/b")
                loop = '''
                import ctypes
                libc = ctypes.CDLL(None)
                while True:
                    libc.syscall(316, -100, b"/workspace/real", -100, b"/workspace/evil", 2)
                    libc.syscall(316, -100, b"/workspace/a", -100, b"/workspace/b", 2)
                '''
                swapper = subprocess.Popen(["python3", "-c", loop.replace("\n                ", "\n")])
                """);
            var read = 0;
            for (var i = 0; i < 300; i++)
            {
                foreach (var path in new[] { "/workspace/real/file", "/workspace/a" })
                {
                    try
                    {
                        await using var stream = await sandbox.Cove.ReadFileAsync(sandbox.Id, path);
                        using var reader = new StreamReader(stream, Encoding.UTF8);
                        Assert.Equal("mine", await reader.ReadToEndAsync());
                        read++;
                    }
                    catch (CoveException)
                    {
                        // The link was there at that moment, and led to nothing.
                    }
                }

                await Record.ExceptionAsync(() => WriteAsync(sandbox, "/workspace/real/written", "x"));
                await Record.ExceptionAsync(() => sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/real/inner", recursive: true));
            }

            Assert.NotEqual(0, read);
            Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
            Assert.Equal(secret, await File.ReadAllTextAsync(folder + "/file"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Hard_links_to_files_of_the_system_cannot_be_made()
    {
        await using var sandbox = await SandboxAsync();
        await AssertHeldAsync(sandbox, """
            for path in ("/etc/passwd", "/usr/bin/env", "/opt/cove/python/kernel/__init__.py", "/dev/null", "/proc/self/status"):
                for folder in ("/workspace", "/tmp", "/dev/shm"):
                    attempt(path, lambda: os.link(path, folder + "/hard"))
                    attempt(path, lambda: os.rename(path, folder + "/hard"))
            """);
    }

    [Fact]
    public async Task A_tree_deeper_than_any_path_can_be_listed_and_removed()
    {
        await using var sandbox = await SandboxAsync();
        var made = await sandbox.PythonAsync("""
            import os
            os.mkdir("/workspace/deep"); os.chdir("/workspace/deep")
            for i in range(3000):
                os.mkdir("d" * 100); os.chdir("d" * 100)
            open("file", "w").close()
            """, Generous);
        Assert.True(made.Outcome == RunOutcome.Ok, made.ToString());
        var listed = await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace", depth: 64).WaitAsync(Generous);
        Assert.InRange(listed.Count, 30, 64);
        await sandbox.Cove.RemoveFileAsync(sandbox.Id, "/workspace/deep", recursive: true).WaitAsync(Generous);
        Assert.Empty(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace"));
    }

    [Fact]
    public async Task What_the_host_writes_counts_against_the_sandboxs_space()
    {
        await using var sandbox = await SandboxAsync(new SandboxLimitsRequest { DiskBytes = 4 << 20, Inodes = 64 });
        var error = await Assert.ThrowsAsync<CoveException>(() => sandbox.Cove.WriteFileAsync(sandbox.Id, "/workspace/large", new MemoryStream(new byte[8 << 20])));
        Assert.Equal("no_space", error.Error.Code);
        Assert.Empty(await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace"));
        var files = await Assert.ThrowsAsync<CoveException>(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                await WriteAsync(sandbox, $"/workspace/{i}", "");
            }
        });
        Assert.Equal("no_space", files.Error.Code);
    }

    [Fact]
    public async Task They_answer_while_a_guest_fills_stops_and_kills_what_it_can()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.PythonAsync("import os\nif os.fork() == 0:\n    os.setsid()\n    while True: os.urandom(1 << 20)");
        await sandbox.ShellAsync("kill -STOP -1");
        await WriteAsync(sandbox, "/workspace/file", "text").WaitAsync(_prompt);
        await using var stream = await sandbox.Cove.ReadFileAsync(sandbox.Id, "/workspace/file").WaitAsync(_prompt);
        Assert.Equal(4, stream.Length);
    }

    private static Task<FileEntry> WriteAsync(TestSandbox sandbox, string path, string text) =>
        sandbox.Cove.WriteFileAsync(sandbox.Id, path, new MemoryStream(Encoding.UTF8.GetBytes(text)));
}
