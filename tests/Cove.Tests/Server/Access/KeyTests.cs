using System.Net;
using Cove.Server.Access;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Access;

/// <summary>Who is let in, over real connections.</summary>
public sealed class KeyTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private readonly FakeCove _cove = new();
    private AccessServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccessServer.StartAsync(_cove, Options);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private StateOptions Options => new() { DataDirectory = Path.Combine(_directory.Path, "data"), Time = _time };

    [Fact]
    public void A_key_has_160_secret_bits_and_reads_back()
    {
        var key = ApiKey.New();
        Assert.Matches("^cove_[a-z2-9]{8}_[a-z2-9]{32}$", key.Text);
        Assert.True(ApiKey.TryParse(key.Text, out var read) && read.Matches(key.Hash) && read.Id == key.Id);
        Assert.False(ApiKey.New().Matches(key.Hash));
        Assert.DoesNotContain(key.Text[^32..], key.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_key_nobody_is_let_in()
    {
        using var response = await _server.SendAsync("GET", "/v1/sandboxes", null);
        await AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "key_missing");
        Assert.StartsWith("Bearer", response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Either_header_carries_the_key()
    {
        var key = await _server.KeyAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("Authorization", "Bearer " + key)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("Authorization", "bearer " + key)));
    }

    [Fact]
    public async Task With_both_the_second_belongs_to_the_platform()
    {
        var key = await _server.KeyAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key), ("Authorization", "Bearer platform-token")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(("X-API-Key", "cove_wrong"), ("Authorization", "Bearer " + key)));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(("X-API-Key", ""), ("Authorization", "Bearer " + key)));
    }

    [Theory]
    [InlineData("cove_")]
    [InlineData("cove_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("' OR 1=1 --")]
    [InlineData("Cove_aaaaaaaa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task What_is_no_key_is_refused_alike(string text)
    {
        using var response = await _server.SendAsync("GET", "/v1/sandboxes", text);
        await AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "key_refused");
    }

    [Fact]
    public async Task A_key_with_one_letter_changed_is_refused()
    {
        var key = await _server.KeyAsync();
        using var response = await _server.SendAsync("GET", "/v1/sandboxes", key[..^1] + (key[^1] == 'a' ? 'b' : 'a'));
        await AssertRefusedAsync(response, HttpStatusCode.Unauthorized, "key_refused");
    }

    [Fact]
    public async Task A_header_of_any_length_is_survived()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(("X-API-Key", new string('x', 8000))));
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, await StatusAsync(("X-API-Key", new string('x', 100_000))));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", await _server.KeyAsync())));
    }

    [Fact]
    public async Task A_key_that_expired_lets_nobody_in()
    {
        var key = await _server.KeyAsync(life: TimeSpan.FromHours(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        _time.Advance(TimeSpan.FromMinutes(61));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(("X-API-Key", key)));
    }

    [Fact]
    public async Task A_key_revoked_by_another_process_is_refused_within_two_seconds()
    {
        var key = await _server.KeyAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        await using (var other = await StateStore.OpenAsync(Options, NullLogger.Instance))
        {
            await new KeyDesk(other.Keys, _time).RevokeAsync(key);
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(("X-API-Key", key)));
    }

    [Fact]
    public async Task A_key_does_what_its_scopes_say()
    {
        var reads = await _server.KeyAsync(scopes: Scopes.Read);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", reads)));
        using var response = await _server.SendAsync("POST", "/v1/sandboxes", reads, "{}");
        await AssertRefusedAsync(response, HttpStatusCode.Forbidden, "scope_missing");
        Assert.Contains("'write'", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        var writes = await _server.KeyAsync(scopes: Scopes.Write);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(("X-API-Key", writes)));
    }

    [Fact]
    public async Task When_it_was_used_last_is_known()
    {
        var key = await _server.KeyAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        await _server.State.Writer.FlushAsync();
        Assert.Equal(_time.GetUtcNow(), Assert.Single(await _server.State.Keys.ListAsync()).LastUsedAt);
    }

    [Fact]
    public async Task A_flood_of_bad_keys_is_cut_off_and_a_good_one_still_works()
    {
        var key = await _server.KeyAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 200; i++)
        {
            statuses.Add(await StatusAsync(("X-API-Key", ApiKey.New().Text)));
        }

        Assert.Equal(20, statuses.Count(s => s == HttpStatusCode.Unauthorized));
        Assert.Equal(180, statuses.Count(s => s == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", key)));
        using var refused = await _server.SendAsync("GET", "/v1/sandboxes", null);
        Assert.NotNull(refused.Headers.RetryAfter);
        await _server.State.Writer.FlushAsync();
        Assert.Equal(20, (await _server.State.Audit.ListAsync(1000)).Count(row => row.Operation == "authenticate"));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", await _server.KeyAsync())));
    }

    [Fact]
    public async Task Who_shares_an_address_with_a_flood_is_let_in_with_a_key_that_was_never_used()
    {
        var (fresh, revoked, other) = (await _server.KeyAsync(), await _server.KeyAsync(), await _server.KeyAsync());
        await new KeyDesk(_server.State.Keys, _time).RevokeAsync(revoked);
        for (var i = 0; i < 25; i++)
        {
            await StatusAsync(("X-API-Key", ApiKey.New().Text));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", fresh)));
        var wrong = other[..^1] + (other[^1] == 'a' ? 'b' : 'a');
        foreach (var bad in new[] { wrong, revoked, ApiKey.New().Text, "cove_", "" })
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, await StatusAsync(("X-API-Key", bad)));
        }

        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", other)));
    }

    [Fact]
    public void The_table_of_failures_is_bounded()
    {
        var limiter = new FailureLimiter(1, _time);
        for (var i = 0; i < FailureLimiter.Capacity + 10; i++)
        {
            limiter.Note(new IPAddress(0x0A000000L + i));
        }

        // The flood pushed the first one out; the last one is still known.
        Assert.Null(limiter.Wait(new IPAddress(0x0A000000L)));
        Assert.NotNull(limiter.Wait(new IPAddress(0x0A000000L + FailureLimiter.Capacity + 9)));
        limiter.Note(IPAddress.Parse("2001:db8::1"));
        Assert.NotNull(limiter.Wait(IPAddress.Parse("2001:db8::ffff")));
        Assert.Null(limiter.Wait(IPAddress.Parse("2001:db8:0:1::1")));
    }

    [Fact]
    public async Task The_first_start_makes_a_key_and_the_second_says_where_it_is()
    {
        var first = await _server.Access.WelcomeAsync();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(("X-API-Key", first.NewKey!.Value.Text)));
        var second = await _server.Access.WelcomeAsync();
        Assert.Null(second.NewKey);
        Assert.Contains("cove keys create", second.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Others_are_let_near_only_with_keys()
    {
        using var directory = new TemporaryDirectory();
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(directory.Path, "d") }, NullLogger.Instance);
        var options = new AccessOptions { LoopbackOnly = false, Address = "http://0.0.0.0:1" };
        var refused = await Assert.ThrowsAsync<CoveException>(() => AccessControl.StartAsync(_cove, state, options, NullLogger.Instance));
        Assert.Equal("keys_needed", refused.Error.Code);
        Assert.Contains("cove keys create", refused.Error.Remediation, StringComparison.Ordinal);
        var open = await Assert.ThrowsAsync<CoveException>(() => AccessControl.StartAsync(_cove, state, options with { AllowAnonymous = true }, NullLogger.Instance));
        Assert.Equal("anonymous_not_local", open.Error.Code);
    }

    [Fact]
    public async Task Anonymous_on_loopback_needs_no_key_and_takes_no_bad_one()
    {
        await using var server = await AccessServer.StartAsync(_cove, change: options => options with { AllowAnonymous = true });
        using var none = await server.SendAsync("POST", "/v1/sandboxes", null, "{}");
        Assert.Equal(HttpStatusCode.Created, none.StatusCode);
        using var bad = await server.SendAsync("GET", "/v1/sandboxes", "cove_bad");
        Assert.Equal(HttpStatusCode.Unauthorized, bad.StatusCode);
        using var platform = await server.SendAsync("GET", "/v1/sandboxes", null, null, ("Authorization", "Basic eDp5"));
        Assert.Equal(HttpStatusCode.Unauthorized, platform.StatusCode);
    }

    private async Task<HttpStatusCode> StatusAsync(params (string, string)[] headers)
    {
        using var response = await _server.SendAsync("GET", "/v1/sandboxes", null, null, headers);
        return response.StatusCode;
    }

    private static async Task AssertRefusedAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Contains($"\"code\":\"{code}\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
