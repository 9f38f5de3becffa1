using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Tools;

public sealed class MemoryToolTests : IDisposable
{
    private readonly TemporaryDirectory _place = new();
    private readonly MemoryTool _memory;

    public MemoryToolTests() => _memory = new MemoryTool(Inside);

    private string Inside => Path.Combine(_place.Path, "memories");

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task It_speaks_as_models_know_it()
    {
        Assert.Equal("Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n0B\t/memories", await SaidAsync(new { command = "view", path = "/memories" }));
        Assert.Equal("File created successfully at: /memories/a/notes.txt", await SaidAsync(new { command = "create", path = "/memories/a/notes.txt", file_text = "one\ntwo\n" }));
        Assert.Equal("Error: File /memories/a/notes.txt already exists", await SaidAsync(new { command = "create", path = "/memories/a/notes.txt", file_text = "x" }));
        Assert.Equal("Here's the content of /memories/a/notes.txt with line numbers:\n     1\tone\n     2\ttwo", await SaidAsync(new { command = "view", path = "/memories/a/notes.txt" }));
        Assert.Equal("Here's the content of /memories/a/notes.txt with line numbers:\n     2\ttwo", await SaidAsync(new { command = "view", path = "/memories/a/notes.txt", view_range = (int[])[2, -1] }));
        Assert.Equal("The memory file has been edited.\n     1\tone\n     2\t2", await SaidAsync(new { command = "str_replace", path = "/memories/a/notes.txt", old_str = "two", new_str = "2" }));
        Assert.Equal("The memory file has been edited.\n     1\tone\n     2\t", await SaidAsync(new { command = "str_replace", path = "/memories/a/notes.txt", old_str = "2" }));
        Assert.Equal("No replacement was performed, old_str `gone` did not appear verbatim in /memories/a/notes.txt.", await SaidAsync(new { command = "str_replace", path = "/memories/a/notes.txt", old_str = "gone", new_str = "" }));
        Assert.Equal("The file /memories/a/notes.txt has been edited.", await SaidAsync(new { command = "insert", path = "/memories/a/notes.txt", insert_line = 2, insert_text = "one\n" }));
        Assert.Equal(
            "No replacement was performed. Multiple occurrences of old_str `one` in lines: 1, 3. Please ensure it is unique",
            await SaidAsync(new { command = "str_replace", path = "/memories/a/notes.txt", old_str = "one", new_str = "x" }));
        Assert.Equal(
            "Error: Invalid `insert_line` parameter: 9. It should be within the range of lines of the file: [0, 3]",
            await SaidAsync(new { command = "insert", path = "/memories/a/notes.txt", insert_line = 9, insert_text = "x" }));
        Assert.Equal("Error: The path /memories/b does not exist", await SaidAsync(new { command = "delete", path = "/memories/b" }));
        Assert.Equal("The path /memories/b does not exist. Please provide a valid path.", await SaidAsync(new { command = "view", path = "/memories/b" }));
        Assert.Equal("Error: The path /memories/b does not exist. Please provide a valid path.", await SaidAsync(new { command = "str_replace", path = "/memories/b", old_str = "x", new_str = "" }));
        Assert.Equal("Successfully renamed /memories/a to /memories/b", await SaidAsync(new { command = "rename", old_path = "/memories/a", new_path = "/memories/b" }));
        await SaidAsync(new { command = "create", path = "/memories/c", file_text = "x" });
        Assert.Equal("Error: The destination /memories/c already exists", await SaidAsync(new { command = "rename", old_path = "/memories/b", new_path = "/memories/c" }));
        Assert.Equal(
            "Here're the files and directories up to 2 levels deep in /memories, excluding hidden items and node_modules:\n10B\t/memories\n9B\t/memories/b\n9B\t/memories/b/notes.txt\n1B\t/memories/c",
            await SaidAsync(new { command = "view", path = "/memories/" }));
        Assert.Equal("Successfully deleted /memories/b", await SaidAsync(new { command = "delete", path = "/memories/b" }));
        Assert.Equal(["c"], Directory.EnumerateFileSystemEntries(Inside).Select(Path.GetFileName));
    }

    public static TheoryData<string> WaysOut =>
    [
        "/etc/passwd", "/memories/../secret", "/memories/a/../../secret", "../secret", "memories/a", "", "/", "/memoriesx/a", "/memories/./a", "/memories//a", "/memories/..", "/memories/../memories/a", "/memories/%2e%2e/secret",
        "/memories/..%2fsecret", "/memories/..\\secret", "/memories\\..\\secret", "/memories/a\0b", "/memories/a\nb", "/memories/C:secret", "/memories/.hidden", "/memories/ a", "/memories/a/b/c/d/e/f/g/h/i", "/memories/\u202ea", "~/a", "/memories/...",
    ];

    [Theory]
    [MemberData(nameof(WaysOut))]
    public async Task There_is_no_way_out(string path)
    {
        await File.WriteAllTextAsync(Path.Combine(_place.Path, "secret"), "secret");
        object[] inputs =
        [
            new { command = "view", path }, new { command = "create", path, file_text = "x" }, new { command = "str_replace", path, old_str = "secret", new_str = "" }, new { command = "insert", path, insert_line = 0, insert_text = "x" },
            new { command = "delete", path }, new { command = "rename", old_path = path, new_path = "/memories/x" }, new { command = "rename", old_path = "/memories/kept", new_path = path },
        ];
        await SaidAsync(new { command = "create", path = "/memories/kept", file_text = "kept" });
        foreach (var input in inputs)
        {
            var result = await _memory.CallAsync(input);
            Assert.StartsWith("Error: Invalid path ", result.First(), StringComparison.Ordinal);
            Assert.NotNull(result.Error);
        }

        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(_place.Path, "secret")));
        Assert.Equal(["kept"], Directory.EnumerateFileSystemEntries(Inside).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("create")]
    [InlineData("rename")]
    public async Task The_root_itself_cannot_be_changed(string command)
    {
        var result = await _memory.CallAsync(new { command, path = "/memories/", file_text = "x", old_path = "/memories", new_path = "/memories/x" });
        Assert.StartsWith("Error: /memories itself cannot be changed", result.First(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_link_is_followed_or_shown()
    {
        await File.WriteAllTextAsync(Path.Combine(_place.Path, "secret"), "secret");
        await SaidAsync(new { command = "create", path = "/memories/a", file_text = "x" });
        File.CreateSymbolicLink(Path.Combine(Inside, "file"), Path.Combine(_place.Path, "secret"));
        Directory.CreateSymbolicLink(Path.Combine(Inside, "folder"), _place.Path);
        Assert.Equal("The path /memories/file does not exist. Please provide a valid path.", await SaidAsync(new { command = "view", path = "/memories/file" }));
        Assert.Equal("The path /memories/folder/secret does not exist. Please provide a valid path.", await SaidAsync(new { command = "view", path = "/memories/folder/secret" }));
        Assert.NotNull((await _memory.CallAsync(new { command = "create", path = "/memories/folder/planted", file_text = "x" })).Error);
        Assert.NotNull((await _memory.CallAsync(new { command = "rename", old_path = "/memories/a", new_path = "/memories/folder/a" })).Error);
        Assert.DoesNotContain("folder", await SaidAsync(new { command = "view", path = "/memories" }), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_place.Path, "planted")));
        Assert.Equal("secret", await File.ReadAllTextAsync(Path.Combine(_place.Path, "secret")));
    }

    [Fact]
    public async Task It_is_its_users_alone_and_bounded()
    {
        await SaidAsync(new { command = "create", path = "/memories/a/b", file_text = "x" });
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Inside, "a", "b")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Inside));
        Assert.Contains("at most 262,144", await SaidAsync(new { command = "create", path = "/memories/big", file_text = new string('x', 300_000) }), StringComparison.Ordinal);
        for (var i = 1; i < MemoryStore.MaxFiles; i++)
        {
            await File.WriteAllTextAsync(Path.Combine(Inside, $"f{i}"), "");
        }

        Assert.Contains("at most 500", await SaidAsync(new { command = "create", path = "/memories/one_more", file_text = "" }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("rename")]
    public async Task Directories_that_files_left_behind_are_bounded(string command)
    {
        await SaidAsync(new { command = "create", path = "/memories/f", file_text = "x" });
        for (var i = 0; i < 71; i++)
        {
            await SaidAsync(new { command, path = $"/memories/d{i}/b/c/d/e/f/g/f", file_text = "x", old_path = "/memories/f", new_path = $"/memories/d{i}/b/c/d/e/f/g/f" });
            await SaidAsync(new { command = command == "create" ? "delete" : command, path = $"/memories/d{i}/b/c/d/e/f/g/f", old_path = $"/memories/d{i}/b/c/d/e/f/g/f", new_path = "/memories/f" });
        }

        Assert.Equal(497, Directory.EnumerateDirectories(Inside, "*", SearchOption.AllDirectories).Count()); // 71 times 7
        foreach (var last in new[] { "more/b/c/d/f", "d0/b/c/2/3/4/5/f" })
        {
            Assert.Contains("more than 500 directories", await SaidAsync(new { command, path = "/memories/" + last, file_text = "x", old_path = "/memories/f", new_path = "/memories/" + last }), StringComparison.Ordinal);
        }

        Assert.Equal(497, Directory.EnumerateDirectories(Inside, "*", SearchOption.AllDirectories).Count());
        Assert.StartsWith("File created", await SaidAsync(new { command = "create", path = "/memories/d1/b/c/d/e/f/g/f", file_text = "x" }), StringComparison.Ordinal);
        await SaidAsync(new { command = "delete", path = "/memories/d1" });
        Assert.StartsWith("File created", await SaidAsync(new { command = "create", path = "/memories/new/b/f", file_text = "x" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_directory_is_moved_to_where_nothing_can_name_what_is_in_it()
    {
        await SaidAsync(new { command = "create", path = "/memories/a/b/c/d/f", file_text = "x" });
        Assert.Contains("more than 8 deep", await SaidAsync(new { command = "rename", old_path = "/memories/a", new_path = "/memories/1/2/3/4/5" }), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Inside, "1")));
        Assert.StartsWith("Successfully renamed", await SaidAsync(new { command = "rename", old_path = "/memories/a", new_path = "/memories/1/2/3/4" }), StringComparison.Ordinal);
        Assert.Contains("\tx", await SaidAsync(new { command = "view", path = "/memories/1/2/3/4/b/c/d/f" }), StringComparison.Ordinal);
        Assert.Contains("into itself", await SaidAsync(new { command = "rename", old_path = "/memories/1", new_path = "/memories/1/x/1" }), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_waits_for_a_FIFO_that_somebody_put_there()
    {
        await SaidAsync(new { command = "create", path = "/memories/a", file_text = "x" });
        Fifo(Path.Combine(Inside, "fifo"));
        const string Missing = "The path /memories/fifo does not exist. Please provide a valid path.";
        Assert.Equal(Missing, await SoonAsync(new { command = "view", path = "/memories/fifo" }));
        Assert.Equal("Error: " + Missing, await SoonAsync(new { command = "str_replace", path = "/memories/fifo", old_str = "x", new_str = "" }));
        Assert.Equal("Error: The path /memories/fifo does not exist", await SoonAsync(new { command = "insert", path = "/memories/fifo", insert_line = 0, insert_text = "x" }));
        Assert.Equal("Error: The path /memories/fifo does not exist", await SoonAsync(new { command = "delete", path = "/memories/fifo" }));
        Assert.DoesNotContain("fifo", await SoonAsync(new { command = "view", path = "/memories" }), StringComparison.Ordinal);

        Task<string> SoonAsync(object input) => Eventually.Within(Task.Run(() => SaidAsync(input)));
    }

    private static void Fifo(string path)
    {
        using var made = System.Diagnostics.Process.Start("mkfifo", [path]);
        made.WaitForExit();
        Assert.Equal(0, made.ExitCode);
    }

    [Fact]
    public async Task Edits_of_one_answer_do_not_lose_each_other()
    {
        await SaidAsync(new { command = "create", path = "/memories/log", file_text = "" });
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => SaidAsync(new { command = "insert", path = "/memories/log", insert_line = 0, insert_text = $"line {i}\n" }))));
        Assert.Equal(50, (await File.ReadAllLinesAsync(Path.Combine(Inside, "log"))).Length);
    }

    [Fact]
    public void Without_a_directory_there_is_no_memory()
    {
        Assert.DoesNotContain(SandboxToolset.Create(new FakeCove(), SandboxId.New()), t => t.Name == "memory");
        Assert.Contains(SandboxToolset.Create(new FakeCove(), SandboxId.New(), new SandboxToolOptions { MemoryDirectory = Inside }), t => t.Name == "memory");
        Assert.Contains("an absolute path", Assert.Throws<ArgumentException>(() => new MemoryTool("relative")).Message, StringComparison.Ordinal);
    }

    private async Task<string> SaidAsync(object input) => (await _memory.CallAsync(input)).First();
}
