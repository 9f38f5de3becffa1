using Cove.Client;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Client;

/// <summary>The client against the server's real routes: what goes in at one end of the high seam comes out at the other.</summary>
public sealed class CoveClientTests : IAsyncLifetime
{
    private SocketServer _server = null!;

    private CoveClient Client => _server.Client;

    public async ValueTask InitializeAsync() => _server = await SocketServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Sandboxes()
    {
        var request = new SandboxRequest
        {
            Template = "base",
            Limits = new SandboxLimitsRequest { Pids = 9 },
            Environment = new Dictionary<string, string> { ["A"] = "ü\n" },
            Metadata = new Dictionary<string, string> { ["k"] = "v" },
            MaxLifetime = TimeSpan.FromHours(2),
        };

        var made = await Client.CreateSandboxAsync(request);

        Assert.Equal("ü\n", _server.Cove.LastCreate!.Environment!["A"]);
        Assert.Equal(9, _server.Cove.LastCreate.Limits!.Pids);
        Assert.Equal("v", made.Info.Metadata!["k"]);
        Assert.Equal(made.Id, (await Client.GetSandboxAsync(made.Id)).Id);
        Assert.Equal(made.Id, Assert.Single((await Client.ListSandboxesAsync()).Sandboxes).Id);
        Assert.Equal(TimeSpan.FromTicks(15_001), (await Client.GetUsageAsync(made.Id)).CpuTime);
        await Client.DeleteSandboxAsync(made.Id);
        Assert.Empty((await Client.ListSandboxesAsync()).Sandboxes);
    }

    [Fact]
    public async Task Errors_arrive_as_they_were_thrown()
    {
        var failure = await Assert.ThrowsAsync<CoveException>(() => Client.GetSandboxAsync(new SandboxId("sunknown")));
        Assert.Equal(FakeCove.Error("sandbox_not_found", ErrorCategory.NotFound).Error, failure.Error);
    }

    [Fact]
    public async Task Kernels()
    {
        var sandbox = await _server.SandboxAsync();
        Assert.Equal("python", Assert.Single(await Client.ListKernelsAsync(sandbox)).Id);
        Assert.Equal(Language.Bash, (await Client.CreateKernelAsync(sandbox, "k-1", Language.Bash)).Language);
        Assert.Equal(1, (await Client.RestartKernelAsync(sandbox, "python")).Restarts);
        await Client.DeleteKernelAsync(sandbox, "python");
    }

    [Fact]
    public async Task Templates() => Assert.Equal("1.24.2", Assert.Single(await Client.ListTemplatesAsync()).Packages["numpy"]);

    [Fact]
    public async Task Files_stream_both_ways()
    {
        var sandbox = await _server.SandboxAsync();
        var content = new byte[3_000_001];
        Random.Shared.NextBytes(content);
        const string path = "/workspace/a b/ü#?&%.bin";
        var source = new MemoryStream(content);

        var written = await Client.WriteFileAsync(sandbox, path, source, new FileWriteOptions { Mode = 0x1ED, Overwrite = false, CreateParents = false });

        Assert.True(source.CanRead); // it is the caller's
        Assert.Equal((path, 3_000_001L, 0x1ED), (written.Path, written.SizeBytes, written.Mode));
        Assert.Equal((false, false), (_server.Cove.LastWrite!.Overwrite, _server.Cove.LastWrite.CreateParents));
        await using var read = await Client.ReadFileAsync(sandbox, path);
        Assert.Equal(content.Length, read.Length);
        var back = new MemoryStream();
        await read.CopyToAsync(back);
        Assert.Equal(content, back.ToArray());

        Assert.Equal(path, (await Client.StatFileAsync(sandbox, path)).Path);
        Assert.Equal("/workspace/b", (await Client.MoveFileAsync(sandbox, path, "/workspace/b", overwrite: true)).Path);
        Assert.Equal("/workspace/b", Assert.Single(await Client.ListFilesAsync(sandbox, "/workspace", 3)).Path);
        Assert.Equal(FileKind.Directory, (await Client.MakeDirectoryAsync(sandbox, "/workspace/d")).Kind);
        await Client.RemoveFileAsync(sandbox, "/workspace/b", recursive: true);
        Assert.Equal([$"move {path} /workspace/b True", "list /workspace 3", "remove /workspace/b True"], _server.Cove.Calls);
    }

    [Fact]
    public async Task An_empty_file_is_a_file()
    {
        var sandbox = await _server.SandboxAsync();
        await Client.WriteFileAsync(sandbox, "/workspace/empty", Stream.Null);
        await using var read = await Client.ReadFileAsync(sandbox, "/workspace/empty");
        Assert.Equal(0, read.Length);
        Assert.Equal(0, await read.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Nobody_there_is_said_with_the_place()
    {
        await using var lost = new CoveClient(new CoveClientOptions { UnixSocket = _server.Socket + ".none" });
        var failure = await Assert.ThrowsAsync<CoveException>(() => lost.ListSandboxesAsync());
        Assert.Equal("engine_unreachable", failure.Error.Code);
        Assert.Contains(_server.Socket, failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_socket_of_somebody_else_is_told_nothing()
    {
        await using var wary = new CoveClient(new CoveClientOptions { UnixSocket = _server.Socket, AcceptedUsers = [4242] });
        var failure = await Assert.ThrowsAsync<CoveException>(() => wary.ListSandboxesAsync());
        Assert.Equal("foreign_engine", failure.Error.Code);
    }
}
