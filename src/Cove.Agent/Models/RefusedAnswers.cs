using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cove.Agent.Models;

/// <summary>Turns answers that are errors into failures with a name. Here, because only here the header that says when to come back can be read.</summary>
internal sealed class RefusedAnswers : DelegatingHandler
{
    private const int MaximumBody = 64 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            var body = await BodyAsync(response, cancellationToken);
            var (type, message) = Read(body);
            throw ModelFailures.OfStatus((int)response.StatusCode, message ?? response.ReasonPhrase ?? "no explanation", type, Header(response, "request-id"), RetryAfter(response));
        }
    }

    private static async Task<string> BodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[MaximumBody];
            var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException)
        {
            return "";
        }
    }

    private static (string? Type, string? Message) Read(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind is JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.Object
                ? (Text(error, "type"), Text(error, "message"))
                : (null, null);
        }
        catch (JsonException)
        {
            return (null, null);
        }
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    /// <summary>Seconds; an HTTP date says nothing without trusting both clocks, so it counts as a minute.</summary>
    private static TimeSpan? RetryAfter(HttpResponseMessage response) => Header(response, "retry-after") switch
    {
        null => null,
        var text when double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds) && seconds <= 86_400 => TimeSpan.FromSeconds(seconds),
        var text when double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) => TimeSpan.FromDays(1),
        _ => TimeSpan.FromMinutes(1),
    };
}
