using System.Diagnostics;
using System.Net;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

public sealed class DoorTests : IAsyncLifetime
{
    private SocketServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await SocketServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("Host", "evil.example", HttpStatusCode.MisdirectedRequest, "unknown_host")]
    [InlineData("Host", "169.254.169.254", HttpStatusCode.MisdirectedRequest, "unknown_host")]
    [InlineData("Origin", "https://evil.example", HttpStatusCode.Forbidden, "foreign_origin")]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden, "foreign_origin")]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden, "foreign_origin")]
    [InlineData("X-Cove-Build", "build2", HttpStatusCode.Conflict, "other_build")]
    public async Task Who_must_not_ask_is_refused(string header, string value, HttpStatusCode status, string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes");
        request.Headers.TryAddWithoutValidation(header, value);
        using var response = await _server.Http.SendAsync(request);

        Assert.Equal(status, response.StatusCode);
        Assert.Contains(code, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(response.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("cove")]
    [InlineData("localhost")]
    [InlineData("localhost:8080")]
    public async Task Known_hosts_may_ask(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes");
        request.Headers.Host = host;
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/jsonp")]
    public async Task A_body_that_a_page_could_send_unasked_is_refused(string type)
    {
        using var response = await _server.Http.PostAsync("/v1/sandboxes", new StringContent("{}", Encoding.UTF8, type));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Contains("Content-Type: application/json", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(_server.Cove.Sandboxes);
    }

    [Fact]
    public async Task A_body_beyond_all_bounds_is_refused()
    {
        using var content = new ByteArrayContent(new byte[97 << 20]);
        content.Headers.ContentType = new("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sandboxes") { Content = content };
        request.Headers.ExpectContinue = true; // or the answer may be lost in the broken pipe of what is still being sent
        using var response = await _server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task Another_build_may_ask_what_runs_here_and_ask_it_to_stop()
    {
        await using var other = _server.NewClient("build2");
        Assert.Equal("build1", (await other.GetEngineAsync()).Build);
        await other.StopEngineAsync(whenIdle: true);
        var refused = await Assert.ThrowsAsync<CoveException>(() => other.ListSandboxesAsync());
        Assert.Equal("other_build", refused.Error.Code);
    }

    [Fact]
    public async Task The_socket_belongs_to_its_user_alone()
    {
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_server.Socket));
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_process_of_another_user_is_hung_up_on()
    {
        Assert.SkipUnless(global::Cove.Cli.Libc.EffectiveUser() == 0, "needs root to become another user");

        // The modes are opened on purpose: what refuses must be the credentials the kernel reports.
        var directory = Path.GetDirectoryName(_server.Socket)!;
        File.SetUnixFileMode(directory, (UnixFileMode)0x1FF);
        File.SetUnixFileMode(_server.Socket, (UnixFileMode)0x1FF);
        const string ask = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
            + "try:\n s.sendall(b'GET /v1/sandboxes HTTP/1.1\\r\\nHost: cove\\r\\n\\r\\n')\n print(s.recv(100))\nexcept OSError as e:\n print(b'')\n";

        Assert.Equal("b''", await PythonAsync("setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups", "/usr/bin/python3", "-I", "-c", ask, _server.Socket));
        Assert.StartsWith("b'HTTP/1.1 200", await PythonAsync("/usr/bin/python3", "-I", "-c", ask, _server.Socket), StringComparison.Ordinal);
    }

    private static async Task<string> PythonAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = "/" })!;
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return text.Trim();
    }
}
