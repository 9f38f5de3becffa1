using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cove.Server.Settings;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hosting;

public sealed class CoveServerTests
{
    [Theory]
    [InlineData("Host", "evil.example", HttpStatusCode.MisdirectedRequest, "unknown_host")]
    [InlineData("Host", "169.254.169.254", HttpStatusCode.MisdirectedRequest, "unknown_host")]
    [InlineData("Origin", "http://127.0.0.1:8787", HttpStatusCode.Forbidden, "foreign_origin")]
    [InlineData("Origin", "null", HttpStatusCode.Forbidden, "foreign_origin")]
    [InlineData("Sec-Fetch-Site", "cross-site", HttpStatusCode.Forbidden, "foreign_origin")]
    public async Task Who_must_not_ask_is_refused_whatever_they_ask_for(string header, string value, HttpStatusCode status, string code)
    {
        await using var server = await TcpServer.StartAsync();
        foreach (var path in new[] { "/v1/sandboxes", "/health?verbose=true", "/metrics", "/nowhere" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation(header, value);
            using var response = await server.Http.SendAsync(request);
            Assert.Equal(status, response.StatusCode);
            Assert.Contains(code, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
            Assert.DoesNotContain(response.Headers, h => h.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_host_that_was_added_may_be_asked_for()
    {
        await using var server = await TcpServer.StartAsync(options => options with { Hosts = ["cove.example.com"] });
        foreach (var host in new[] { "cove.example.com", "COVE.example.com:443", "localhost", "127.0.0.1", "[::1]:1" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/sandboxes") { Headers = { Host = host } };
            using var response = await server.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    [Fact]
    public async Task The_native_routes_are_served_and_those_about_the_process_are_not()
    {
        await using var server = await TcpServer.StartAsync();
        using var made = await server.Http.PostAsync("/v1/sandboxes", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Single(server.Cove.Sandboxes);
        using var engine = await server.Http.GetAsync("/v1/engine");
        using var stop = await server.Http.PostAsync("/v1/engine/stop", null);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.NotFound), (engine.StatusCode, stop.StatusCode));
    }

    [Fact]
    public async Task Nothing_is_answered_before_the_server_is_opened()
    {
        await using var server = await TcpServer.StartAsync(open: false);
        var asked = server.Http.GetAsync("/health");
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port); // it listens
        }

        Assert.False(asked.IsCompleted);
        server.Server.Open();
        using var response = await Eventually.Within(asked);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task A_body_beyond_the_bound_is_refused()
    {
        await using var server = await TcpServer.StartAsync(options => options with { MaxBodyBytes = 64 << 10 });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sandboxes") { Content = new ByteArrayContent(new byte[(64 << 10) + 1]) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.ExpectContinue = true; // or the answer may be lost in the broken pipe of what is still being sent
        using var response = await server.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
    }

    [Fact]
    public async Task A_caller_that_sends_its_body_too_slowly_is_cut_off()
    {
        await using var server = await TcpServer.StartAsync();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        await socket.SendAsync("POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"u8.ToArray());
        var answer = new byte[4096];
        var read = await socket.ReceiveAsync(answer).WaitAsync(TimeSpan.FromMinutes(2)); // it is we who were to speak: only a cut-off ends this
        Assert.True(read == 0 || Encoding.ASCII.GetString(answer, 0, read).StartsWith("HTTP/1.1 408", StringComparison.Ordinal), Encoding.ASCII.GetString(answer, 0, read));
        Assert.Empty(server.Cove.Sandboxes);
    }

    [Fact]
    public async Task Too_many_or_too_long_headers_are_refused()
    {
        await using var server = await TcpServer.StartAsync();
        using var many = new HttpRequestMessage(HttpMethod.Get, "/health");
        for (var i = 0; i < 100; i++)
        {
            many.Headers.Add("X-H" + i, "1");
        }

        using var refusedMany = await server.Http.SendAsync(many);
        using var big = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { { "X-Big", new string('x', 33 << 10) } } };
        using var refusedBig = await server.Http.SendAsync(big);
        Assert.Equal((HttpStatusCode.RequestHeaderFieldsTooLarge, HttpStatusCode.RequestHeaderFieldsTooLarge), (refusedMany.StatusCode, refusedBig.StatusCode));
    }

    [Fact]
    public async Task A_connection_beyond_the_bound_is_closed()
    {
        await using var server = await TcpServer.StartAsync(options => options with { MaxConnections = 1 });
        Assert.Equal("ok", await server.Http.GetStringAsync("/health")); // holds the one
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Address.Port);
        var closed = await Eventually.Within(Task.Run(async () =>
        {
            try
            {
                await socket.SendAsync("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
                return await socket.ReceiveAsync(new byte[100]) == 0;
            }
            catch (SocketException)
            {
                return true;
            }
        }));
        Assert.True(closed);
    }

    [Fact]
    public async Task What_others_can_reach_needs_keys()
    {
        var refused = await Assert.ThrowsAsync<CoveException>(() => TcpServer.StartAsync(options => options with { Urls = [ListenUrl.TryParse("http://0.0.0.0:0")!] }));
        Assert.Equal("no_keys", refused.Error.Code);
    }

    [Fact]
    public async Task An_address_in_use_is_an_error_that_names_it()
    {
        await using var server = await TcpServer.StartAsync();
        var refused = await Assert.ThrowsAsync<CoveException>(() => TcpServer.StartAsync(options => options with { Urls = [ListenUrl.TryParse($"http://127.0.0.1:{server.Address.Port}")!] }));
        Assert.Equal("cannot_listen", refused.Error.Code);
        Assert.Contains($"http://127.0.0.1:{server.Address.Port}", refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Https_is_spoken_with_a_certificate_from_files()
    {
        using var directory = new TemporaryDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        var request = new CertificateRequest("CN=cove", key, HashAlgorithmName.SHA256) { CertificateExtensions = { names.Build() } };
        using var certificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        var (certificateFile, keyFile) = (Path.Combine(directory.Path, "cert.pem"), Path.Combine(directory.Path, "key.pem"));
        await File.WriteAllTextAsync(certificateFile, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());

        await using var server = await TcpServer.StartAsync(options => options with { Urls = [ListenUrl.TryParse("https://127.0.0.1:0")!], TlsCertificate = certificateFile, TlsKey = keyFile });
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        trust.CustomTrustStore.Add(certificate);
        using var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = trust } };
        using var http = new HttpClient(handler);
        Assert.Equal("ok", await http.GetStringAsync(new Uri(server.Address, "/health")));
    }
}
