using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>What goes wrong on purpose, and how long.</summary>
public sealed class FaultTests
{
    private const string User = """[{"role":"user","content":"hi"}]""";

    [Theory]
    [InlineData("invalid_request_error", 400)]
    [InlineData("authentication_error", 401)]
    [InlineData("billing_error", 402)]
    [InlineData("permission_error", 403)]
    [InlineData("not_found_error", 404)]
    [InlineData("conflict_error", 409)]
    [InlineData("request_too_large", 413)]
    [InlineData("rate_limit_error", 429)]
    [InlineData("api_error", 500)]
    [InlineData("timeout_error", 504)]
    [InlineData("overloaded_error", 529)]
    public async Task Every_error_has_its_status_its_envelope_and_a_request_id(string type, int expected)
    {
        await using var talk = await Talk.StartAsync($"turns: [{{faults: [{{error: {type}}}], text: fine}}]");
        using var response = await talk.PostAsync(Talk.Request(User));
        var json = Talk.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal(type, json.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal(response.Headers.GetValues("request-id").Single(), json.GetProperty("request_id").GetString());
        Assert.False(response.Headers.Contains("Retry-After"));
        Assert.Equal("fine", await talk.TextAsync(User));
    }

    [Fact]
    public async Task Faults_are_met_one_after_the_other_by_those_who_try_again()
    {
        await using var talk = await Talk.StartAsync("""
            turns:
              - faults:
                  - {error: overloaded_error, times: 2}
                  - {error: rate_limit_error, retry_after: 3, message: slower, error_code: too_fast}
                  - {error: teapot, status: 418}
                text: fine
            """);
        Assert.Equal("529: Overloaded", await talk.TextAsync(User));
        Assert.Equal("529: Overloaded", await talk.TextAsync(User));
        using var limited = await talk.PostAsync(Talk.Request(User));
        Assert.Equal("3", limited.Headers.GetValues("Retry-After").Single());
        Assert.Equal("too_fast", Talk.Parse(await limited.Content.ReadAsStringAsync()).GetProperty("error").GetProperty("details").GetProperty("error_code").GetString());
        Assert.Equal("418: teapot", await talk.TextAsync(User));
        Assert.Equal("fine", await talk.TextAsync(User));
        Assert.Equal("fine", await talk.TextAsync(User));

        // Another conversation meets them from the first.
        Assert.Equal("529: Overloaded", await talk.TextAsync("""[{"role":"user","content":"other"}]"""));
        Assert.Equal("529: Overloaded", await talk.TextAsync(User, "\"metadata\":{\"user_id\":\"b\"}"));
        Assert.Equal([529, 529, 429, 418, 200, 200, 529, 529], talk.Server.Requests.Select(r => r.Status));
    }

    [Fact]
    public async Task An_endless_fault_never_ends()
    {
        await using var talk = await Talk.StartAsync("turns: [{faults: [{error: api_error, times: always}]}]");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal("500: Internal server error", await talk.TextAsync(User));
        }
    }

    [Theory]
    [InlineData("before_headers", false)]
    [InlineData("after_headers", false)]
    [InlineData("mid_block", false)]
    [InlineData("before_end", false)]
    [InlineData("before_headers", true)]
    [InlineData("after_headers", true)]
    [InlineData("mid_block", true)]
    [InlineData("before_end", true)]
    public async Task A_connection_breaks_where_the_script_says(string place, bool stream)
    {
        await using var talk = await Talk.StartAsync($"turns: [{{faults: [{{drop: {place}}}], text: a text of several words that is cut}}]");
        var body = Talk.Request(User, stream ? "\"stream\":true" : "");
        var read = new MemoryStream();
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await talk.PostAsync(body, until: HttpCompletionOption.ResponseHeadersRead);
            await (await response.Content.ReadAsStreamAsync()).CopyToAsync(read);
        });
        var text = System.Text.Encoding.UTF8.GetString(read.ToArray());
        Assert.Equal(place is "mid_block" or "before_end" && stream, text.Contains("content_block_delta", StringComparison.Ordinal));
        Assert.Equal(place is "before_end" && stream, text.Contains("message_delta", StringComparison.Ordinal));
        Assert.DoesNotContain("message_stop", text, StringComparison.Ordinal);
        Assert.Equal("a text of several words that is cut", await talk.TextAsync(User));
        Assert.Equal([0, 200], talk.Server.Requests.Select(r => r.Status));
    }

    [Fact]
    public async Task An_error_can_come_in_the_middle_of_a_stream()
    {
        await using var talk = await Talk.StartAsync("turns: [{faults: [{error: overloaded_error, at: mid_block}], text: a text of several words}]");
        using var response = await talk.PostAsync(Talk.Request(User, "\"stream\":true"));
        Assert.Equal(200, (int)response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("content_block_stop", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_malformed_is_no_json()
    {
        await using var talk = await Talk.StartAsync("turns: [{faults: [{malformed: json}, {malformed: sse}, {malformed: html}], text: fine, piece_length: 1}]");
        using var whole = await talk.PostAsync(Talk.Request(User));
        Assert.Equal(200, (int)whole.StatusCode);
        var cut = await whole.Content.ReadAsStringAsync();
        Assert.ThrowsAny<JsonException>(() => Talk.Parse(cut));
        using var stream = await talk.PostAsync(Talk.Request(User, "\"stream\":true"));
        var last = (await stream.Content.ReadAsStringAsync()).TrimEnd().Split('\n')[^1];
        Assert.ThrowsAny<JsonException>(() => Talk.Parse(last["data: ".Length..]));
        using var html = await talk.PostAsync(Talk.Request(User));
        Assert.Equal((502, "text/html"), ((int)html.StatusCode, html.Content.Headers.ContentType?.MediaType));
        Assert.Equal("fine", await talk.TextAsync(User));
    }

    [Fact]
    public async Task Delays_and_paces_follow_the_clock_that_was_given()
    {
        var time = new FakeTimeProvider();
        await using var talk = await Talk.StartAsync("turns: [{delay: 1m, pace: 2s, text: hi}]", time: time);
        var asked = talk.PostAsync(Talk.Request(User, "\"stream\":true"));
        await Eventually.Holds(() => time.Armed == 1, "the answer is delayed");
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(1, time.Armed);
        while (!asked.IsCompleted)
        {
            await Eventually.Holds(() => time.Armed > 0 || asked.IsCompleted, "the next event is waited for, or the last was sent");
            time.Advance(TimeSpan.FromSeconds(1));
        }

        using var response = await asked;
        Assert.Contains("message_stop", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("before_headers")]
    [InlineData("mid_block")]
    public async Task What_hangs_ends_when_the_client_gives_up_or_the_server_ends(string place)
    {
        var talk = await Talk.StartAsync($"turns: [{{faults: [{{hang: {place}, times: always}}]}}]");
        using var patience = new CancellationTokenSource();
        var first = talk.Http.PostAsync("/v1/messages", new StringContent(Talk.Request(User, "\"stream\":true")), patience.Token);
        await Eventually.Holds(() => talk.Server.Requests.Count == 1, "the first request came");
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        var second = talk.PostAsync(Talk.Request(User, "\"stream\":true"));
        await Eventually.Holds(() => talk.Server.Requests.Count == 2, "the second request came");
        await talk.Server.DisposeAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => second);
        await talk.DisposeAsync();
    }
}
