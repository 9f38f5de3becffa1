#pragma warning disable MEAI001 // hosted files are experimental in Microsoft.Extensions.AI
using System.Buffers.Text;
using System.Text;
using Cove.Agent.ChatClients;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.ChatClients;

/// <summary>A sandbox's files as hosted files.</summary>
public sealed class SandboxFileClientTests(LiveEngine engine)
{
    [Fact]
    public async Task Files_go_in_and_out_and_away()
    {
        var cove = await engine.GetAsync();
        await using var sandbox = new CoveSandbox(cove, await cove.CreateSandboxAsync(new SandboxRequest()));
        using var files = new SandboxFileClient(cove, sandbox.Id);
        var first = await files.UploadAsync(new MemoryStream("a,b"u8.ToArray()), "text/csv", "../../data.csv");
        var second = await files.UploadAsync(new MemoryStream("c"u8.ToArray()), null, "data.csv");
        var nameless = await files.UploadAsync(new MemoryStream([1, 2, 3]), "image/png");
        Assert.Equal(("data.csv", "text/csv", 3L), (first.Name, first.MediaType, first.SizeInBytes));
        Assert.Equal(("data-2.csv", "file.png"), (second.Name, nameless.Name));
        Assert.Equal(sandbox.Id.Value, first.Scope);

        var run = await sandbox.RunToEndAsync("print(open('/workspace/data.csv').read()); open('/workspace/out é.txt', 'w').write('made')");
        Assert.Equal("a,b\n", run.Stdout);
        var listed = await files.ListFilesAsync().ToListAsync();
        Assert.Equal(["data-2.csv", "data.csv", "file.png", "out é.txt"], listed.Select(f => f.Name!).Order(StringComparer.Ordinal));
        Assert.Equal(2, await files.ListFilesAsync(new HostedFileClientOptions { Limit = 2 }).CountAsync());

        var made = listed.Single(f => f.Name == "out é.txt");
        await using (var download = await files.DownloadAsync(made.FileId))
        {
            Assert.Equal(("out é.txt", "text/plain"), (download.FileName, download.MediaType));
            Assert.Equal("made", Encoding.UTF8.GetString((await download.ToDataContentAsync()).Data.Span));
        }

        Assert.Equal(4, (await files.GetFileInfoAsync(made.FileId))!.SizeInBytes);
        Assert.True(await files.DeleteAsync(made.FileId));
        Assert.False(await files.DeleteAsync(made.FileId));
        Assert.Null(await files.GetFileInfoAsync(made.FileId));
    }

    [Theory]
    [InlineData("file_011CNha8iCJcU1wXNR6q4V8w")]
    [InlineData("cove_")]
    [InlineData("cove_SANDBOX_")]
    [InlineData("cove_SANDBOX_!!")]
    [InlineData("cove_SANDBOX_L2E=")] // padded: one path has one id
    [InlineData("cove_SANDBOX_L2F", "/a with bits behind it")]
    public async Task An_id_that_is_not_well_formed_is_refused(string id, string? why = null)
    {
        await using var cove = new FakeCove();
        var info = await cove.CreateSandboxAsync(new SandboxRequest());
        using var files = new SandboxFileClient(cove, info.Id);
        var error = await Assert.ThrowsAsync<ArgumentException>(() => files.DownloadAsync(id.Replace("SANDBOX", info.Id.Value, StringComparison.Ordinal)));
        Assert.True(error.Message.StartsWith("The file id is not one of Cove's.", StringComparison.Ordinal), why);
    }

    [Theory]
    [InlineData("/workspace/../etc/passwd")]
    [InlineData("workspace/a")]
    [InlineData("/")]
    [InlineData("/./a")]
    [InlineData("/a\0b")]
    public async Task An_id_of_a_path_that_leads_elsewhere_is_refused(string path)
    {
        await using var cove = new FakeCove();
        var info = await cove.CreateSandboxAsync(new SandboxRequest());
        using var files = new SandboxFileClient(cove, info.Id);
        var id = $"cove_{info.Id.Value}_{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(path))}";
        await Assert.ThrowsAsync<ArgumentException>(() => files.DeleteAsync(id));
        Assert.Empty(cove.Calls);
    }

    [Fact]
    public async Task Files_of_another_sandbox_and_other_scopes_are_refused()
    {
        await using var cove = new FakeCove();
        var (mine, other) = (await cove.CreateSandboxAsync(new SandboxRequest()), await cove.CreateSandboxAsync(new SandboxRequest()));
        using var files = new SandboxFileClient(cove, mine.Id);
        using var others = new SandboxFileClient(cove, other.Id);
        var theirs = await others.UploadAsync(new MemoryStream([1]), null, "a");
        var error = await Assert.ThrowsAsync<ArgumentException>(() => files.GetFileInfoAsync(theirs.FileId));
        Assert.Contains("another sandbox", error.Message, StringComparison.Ordinal);
        var scope = await Assert.ThrowsAsync<ArgumentException>(() => files.DeleteAsync(theirs.FileId, new HostedFileClientOptions { Scope = other.Id.Value }));
        Assert.Contains("Scope is", scope.Message, StringComparison.Ordinal);
        Assert.Same(cove, files.GetService(typeof(ICove)));
        Assert.Equal("cove", ((HostedFileClientMetadata)files.GetService(typeof(HostedFileClientMetadata))!).ProviderName);
    }
}
