using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class FileErrorConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Theory]
    [InlineData("read", "not_found", ErrorCategory.NotFound)]
    [InlineData("stat", "not_found", ErrorCategory.NotFound)]
    [InlineData("list", "not_found", ErrorCategory.NotFound)]
    [InlineData("move", "not_found", ErrorCategory.NotFound)]
    [InlineData("remove", "not_found", ErrorCategory.NotFound)]
    [InlineData("read a directory", "is_a_directory", ErrorCategory.Request)]
    [InlineData("list a file", "not_a_directory", ErrorCategory.Request)]
    [InlineData("write once more", "already_exists", ErrorCategory.Conflict)]
    [InlineData("move onto", "already_exists", ErrorCategory.Conflict)]
    [InlineData("remove a full directory", "not_empty", ErrorCategory.Conflict)]
    [InlineData("write without parents", "not_found", ErrorCategory.NotFound)]
    [InlineData("read a pipe", "not_a_file", ErrorCategory.Request)]
    [InlineData("read through a link out", "not_found", ErrorCategory.NotFound)]
    [InlineData("read the host", "outside_roots", ErrorCategory.Request)]
    [InlineData("climb out", "outside_roots", ErrorCategory.Request)]
    [InlineData("relative", "invalid_request", ErrorCategory.Request)]
    [InlineData("nul", "invalid_request", ErrorCategory.Request)]
    [InlineData("depth", "invalid_request", ErrorCategory.Request)]
    [InlineData("mode", "invalid_request", ErrorCategory.Request)]
    public async Task A_call_that_fails_says_so_by_code(string call, string code, ErrorCategory category)
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.ShellAsync("mkdir d; echo x > d/f; mkfifo pipe; ln -s /etc/passwd out"));
        var error = await RefusalAsync(() => CallAsync(sandbox, call));
        Assert.Equal((code, category), (error.Code, error.Category));
        Assert.NotEmpty(error.Remediation);
        Assert.Equal("x\n", await sandbox.ReadAsync("/workspace/d/f"));
    }

    [Fact]
    public async Task A_full_disk_is_told_as_such_and_leaves_the_old_file()
    {
        await using var sandbox = await LimitedAsync(new SandboxLimitsRequest { DiskBytes = 4 << 20 });
        await sandbox.WriteAsync("/workspace/f", "old");
        var error = await RefusalAsync(() => sandbox.WriteAsync("/workspace/f", new string('x', 6 << 20)));
        Assert.Equal(("no_space", ErrorCategory.Limit), (error.Code, error.Category));
        Assert.Equal("old", await sandbox.ReadAsync("/workspace/f"));
        await sandbox.WriteAsync("/workspace/g", new string('y', 1 << 20));
    }

    [Fact]
    public async Task More_entries_than_a_listing_may_have_are_an_error_not_a_part()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("import os\nos.mkdir('many')\nfor i in range(10_001): os.close(os.open(f'many/{i}', os.O_CREAT))"));
        Assert.Equal("too_many_entries", (await RefusalAsync(() => sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace/many"))).Code);
        AssertOk(await sandbox.ShellAsync("rm many/1"));
        Assert.Equal(10_000, (await sandbox.Cove.ListFilesAsync(sandbox.Id, "/workspace/many")).Count);
    }

    private static Task CallAsync(TestSandbox sandbox, string call)
    {
        var (cove, id) = (sandbox.Cove, sandbox.Id);
        return call switch
        {
            "read" => cove.ReadFileAsync(id, "/workspace/none"),
            "stat" => cove.StatFileAsync(id, "/workspace/none"),
            "list" => cove.ListFilesAsync(id, "/workspace/none"),
            "move" => cove.MoveFileAsync(id, "/workspace/none", "/workspace/other"),
            "remove" => cove.RemoveFileAsync(id, "/workspace/none"),
            "read a directory" => cove.ReadFileAsync(id, "/workspace/d"),
            "list a file" => cove.ListFilesAsync(id, "/workspace/d/f"),
            "write once more" => sandbox.WriteAsync("/workspace/d/f", "y", new FileWriteOptions { Overwrite = false }),
            "move onto" => cove.MoveFileAsync(id, "/workspace/pipe", "/workspace/d/f"),
            "remove a full directory" => cove.RemoveFileAsync(id, "/workspace/d"),
            "write without parents" => sandbox.WriteAsync("/workspace/new/f", "y", new FileWriteOptions { CreateParents = false }),
            "read a pipe" => cove.ReadFileAsync(id, "/workspace/pipe"),
            "read through a link out" => cove.ReadFileAsync(id, "/workspace/out"),
            "read the host" => cove.ReadFileAsync(id, "/etc/passwd"),
            "climb out" => cove.ReadFileAsync(id, "/workspace/../etc/passwd"),
            "relative" => cove.ReadFileAsync(id, "workspace/d/f"),
            "nul" => cove.ReadFileAsync(id, "/workspace/d\0f"),
            "depth" => cove.ListFilesAsync(id, "/workspace", depth: 65),
            "mode" => sandbox.WriteAsync("/workspace/g", "y", new FileWriteOptions { Mode = 0x9ED }),
            _ => throw new ArgumentException(call, nameof(call)),
        };
    }
}
