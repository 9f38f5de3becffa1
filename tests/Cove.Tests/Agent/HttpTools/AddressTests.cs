using System.Net;
using Cove.Agent.HttpTools.Sending;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

/// <summary>A tool goes where its declaration sends it, and a name that comes to mean another place is not followed there.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.9.9.9", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("ff02::1", false)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("2001::1", false)]
    [InlineData("2002:7f00:1::", false)]
    public void Public_is_what_is_public(string address, bool isPublic)
    {
        Assert.Equal(isPublic, AddressRules.IsPublic(IPAddress.Parse(address)));
        Assert.Equal(isPublic, AddressRules.MayDial("api.example.com", IPAddress.Parse(address), allowPrivate: false));
    }

    [Theory]
    [InlineData("internal.example", "10.0.0.5", true)]
    [InlineData("internal.example", "fd00::5", true)]
    [InlineData("internal.example", "169.254.169.254", false)]
    [InlineData("internal.example", "127.0.0.1", false)]
    [InlineData("internal.example", "fe80::1", false)]
    [InlineData("169.254.169.254", "169.254.169.254", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    [InlineData("localhost", "127.0.0.1", true)]
    [InlineData("localhost", "::1", true)]
    [InlineData("localhost", "8.8.8.8", false)]
    [InlineData("localhost", "10.0.0.1", false)]
    public void A_host_that_is_said_to_be_private_may_be_that_and_no_more(string host, string address, bool may) =>
        Assert.Equal(may, AddressRules.MayDial(host, IPAddress.Parse(address), allowPrivate: true));

    [Theory]
    [InlineData("https://api.example.com/x", "127.0.0.1")]
    [InlineData("https://api.example.com/x", "169.254.169.254")]
    [InlineData("https://127.0.0.1/x", "127.0.0.1")]
    [InlineData("https://0x7f000001/x", "127.0.0.1")]
    [InlineData("https://[::ffff:7f00:1]/x", "127.0.0.1")]
    public async Task What_resolves_to_a_private_address_is_not_dialled(string url, string address)
    {
        var declaration = ToolBench.Tool($"method: GET\nurl: {url}\nretry: {{max: 0}}").Replace("    allow_private: true\n", "", StringComparison.Ordinal);
        await using var bench = await ToolBench.StartAsync(declaration, options => options with { Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]) });
        var result = await bench.CallAsync();
        Assert.Equal(ToolErrorCategory.Policy, result.Error!.ErrorCategory);
        Assert.DoesNotContain("169.254", result.Error.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Loopback_too_must_be_declared()
    {
        var declaration = ToolBench.Tool("method: GET\nurl: BASE/x").Replace("    allow_private: true\n", "", StringComparison.Ordinal);
        await using var bench = await ToolBench.StartAsync(declaration);
        Assert.Equal(ToolErrorCategory.Policy, (await bench.CallAsync()).Error!.ErrorCategory);
        Assert.Empty(bench.Api.Requests);
    }

    /// <summary>Two tools, one host: the connection that one may have is not lent to the other.</summary>
    [Fact]
    public async Task A_connection_of_a_private_tool_is_not_reused_by_another()
    {
        var both = ToolBench.Tool("method: GET\nurl: BASE/private") + "  - name: other\n    description: d\n    input_schema: {type: object}\n    method: GET\n    url: BASE/public\n    retry: {max: 0}\n";
        await using var bench = await ToolBench.StartAsync(both);
        Assert.Null((await bench.CallAsync()).Error);
        using var input = System.Text.Json.JsonDocument.Parse("{}");
        var other = await bench.Set[1].CallAsync(new ToolCall { Id = "", Name = "other", Input = input.RootElement }, TestContext.Current.CancellationToken);
        Assert.Equal(ToolErrorCategory.Policy, other.Error!.ErrorCategory);
        Assert.Equal(["/private"], bench.Api.Requests.Select(request => request.Target));
    }

    [Fact]
    public async Task Redirects_are_not_followed()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/x\nheaders: {Authorization: '${secret:TOKEN}'}"));
        bench.Api.Answers((302, "{}", [("Location", bench.Api.Address + "/elsewhere")]));
        var result = await bench.CallAsync();
        Assert.Contains("not followed", result.Error!.Remediation, StringComparison.Ordinal);
        Assert.Equal(["/x"], bench.Api.Requests.Select(request => request.Target));
    }
}
