using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cove.Server.Frontends.Native;

/// <summary>Reads what a native request carries and writes what answers it. The shapes themselves are in Cove.Contracts (<c>Wire/</c>), since the client shares them.</summary>
internal static class NativeWire
{
    /// <summary>Room for the largest standard input (64 MiB, 86 in base64) beside the largest code (900,000 bytes, six characters each when escaped).</summary>
    public const long MaximumJsonBytes = 96 << 20;

    /// <summary>The most that is written to a standard input at once.</summary>
    public const int MaximumStdinBytes = 1 << 20;

    public static SandboxId Sandbox(HttpContext context) =>
        SandboxId.TryParse(Route(context, "sandbox"), out var id)
            ? id
            : throw Problems.Bad("invalid_request", "The sandbox id is not 1 to 40 characters of a-z and 0-9.", "Give the id that creating the sandbox returned.");

    public static RunId Run(HttpContext context) =>
        RunId.TryParse(Route(context, "run"), out var id)
            ? id
            : throw Problems.Bad("invalid_request", "The run id is not 1 to 40 characters of a-z and 0-9.", "Give the id that the run's started event carried.");

    public static string Route(HttpContext context, string name) => context.Request.RouteValues[name] as string ?? "";

    public static string Path(HttpContext context)
    {
        if (context.Request.Query["path"] is not [{ Length: > 0 } path])
        {
            throw Problems.Bad("invalid_request", "The query parameter 'path' is missing or given twice.", "Give one absolute path in the sandbox, for example ?path=/workspace/a.txt.");
        }

        // Escapes that are no UTF-8 would be left as they stand, and name a file that nobody meant.
        return IsText(context.Request.QueryString.Value ?? "") ? path
            : throw Problems.Bad("invalid_request", "The query holds escaped bytes that are not valid UTF-8.", "Escape the path's bytes in UTF-8: é is %C3%A9; a percent sign itself is %25.");
    }

    private static bool IsText(string query)
    {
        var bytes = Encoding.UTF8.GetBytes(query);
        return Utf8.IsValid(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length));
    }

    public static bool Flag(HttpContext context, string name, bool missing) => (string?)context.Request.Query[name] switch
    {
        null => missing,
        "true" => true,
        "false" => false,
        var other => throw Problems.Bad("invalid_request", $"The query parameter '{name}' is '{other}'.", "Give true or false."),
    };

    /// <summary>One of two words; true for the second.</summary>
    public static bool Choice(HttpContext context, string name, string missing, string other) => (string?)context.Request.Query[name] is not { } text || text == missing
        ? false
        : text == other ? true : throw Problems.Bad("invalid_request", $"The query parameter '{name}' is '{text}'.", $"Give {missing} or {other}.");

    /// <summary>Reads a body of bytes, at most so many. Its content type is demanded as JSON's is: no page may send it without asking first.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadRawAsync(HttpContext context, int most)
    {
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var media) || media.MediaType != "application/octet-stream")
        {
            throw new BadHttpRequestException("The body's content type is not application/octet-stream.", StatusCodes.Status415UnsupportedMediaType);
        }

        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most;
        }

        var counted = BoundedBody.Of(context);
        context.Response.RegisterForDisposeAsync(counted); // held until the request has ended
        using var body = new MemoryStream();
        await counted.CopyToAsync(body, context.RequestAborted);
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    public static int Number(HttpContext context, string name, int missing)
    {
        var text = (string?)context.Request.Query[name];
        return text is null ? missing
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw Problems.Bad("invalid_request", $"The query parameter '{name}' is '{text}'.", "Give a whole number.");
    }

    public static int Mode(HttpContext context, int missing)
    {
        var text = (string?)context.Request.Query["mode"];
        if (text is null)
        {
            return missing;
        }

        if (text.Length is 0 or > 4 || text.Any(digit => digit is < '0' or > '7'))
        {
            throw Problems.Bad("invalid_request", $"The query parameter 'mode' is '{text}'.", "Give up to four octal digits, for example 644.");
        }

        return Convert.ToInt32(text, 8);
    }

    /// <summary>Reads a JSON body.</summary>
    public static ValueTask<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        DemandJson(context);
        return ReadArrived(context, type) is { } value ? new ValueTask<T>(value) : ReadCountedAsync(context, type);
    }

    /// <summary>Reads a JSON body that counts for as long as its reader keeps what it means.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext context, BoundedBody body, JsonTypeInfo<T> type)
    {
        DemandJson(context);
        body.KeepBeginning();
        try
        {
            return (context.Request.ContentLength is { } length and <= BoundedBody.FreeBytes
                ? await ReadSmallAsync(body, (int)length, type, context.RequestAborted)
                : await JsonSerializer.DeserializeAsync(body, type, context.RequestAborted)) ?? throw new JsonException("The body is null.");
        }
        catch (JsonException failure)
        {
            throw NotUnderstood(failure, type, body.Beginning);
        }
    }

    /// <summary>The content type is demanded because a page may send any body, but not this type without asking first.</summary>
    private static void DemandJson(HttpContext context)
    {
        const string Json = "application/json";
        if (context.Request.ContentType != Json && (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var media) || media.MediaType != Json))
        {
            throw new BadHttpRequestException("The body's content type is not application/json.", StatusCodes.Status415UnsupportedMediaType);
        }
    }

    /// <summary>Reads a body that is small and came with its head, as most do, where it lies; null when it did not.</summary>
    private static T? ReadArrived<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (context.Request.ContentLength is not { } length || length > BoundedBody.FreeBytes)
        {
            return null;
        }

        var reader = context.Request.BodyReader;
        if (!reader.TryRead(out var arrived))
        {
            return null;
        }

        var text = arrived.Buffer;
        if (text.Length < length || !text.IsSingleSegment)
        {
            reader.AdvanceTo(text.Start); // nothing of it was read
            return null;
        }

        try
        {
            return Parse(text.FirstSpan, type) ?? throw new JsonException("The body is null.");
        }
        catch (JsonException failure)
        {
            throw NotUnderstood(failure, type, text.FirstSpan);
        }
        finally
        {
            reader.AdvanceTo(text.End);
        }
    }

    private static async ValueTask<T> ReadCountedAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        await using var body = BoundedBody.Of(context);
        return await ReadAsync(context, body, type);
    }

    /// <summary>Reads a small body without the machinery that reads on while it parses.</summary>
    private static async ValueTask<T?> ReadSmallAsync<T>(BoundedBody body, int length, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var read = await body.ReadAtLeastAsync(bytes.AsMemory(0, length), length, throwOnEndOfStream: false, cancellationToken);
            return Parse(bytes.AsSpan(0, read), type);
        }
        finally
        {
            bytes.AsSpan(0, length).Clear(); // what runs must not lie about in memory that others use
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static T? Parse<T>(ReadOnlySpan<byte> text, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text, type);

    private static CoveException NotUnderstood(JsonException failure, JsonTypeInfo type, ReadOnlySpan<byte> beginning)
    {
        var (message, fix) = JsonFaults.Explain("The body", failure, type, beginning);
        return Problems.Bad("bad_json", message, $"{fix} /docs shows the fields of every call; unknown ones are refused, so that a misspelt one is not silently ignored.");
    }

    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        WriteAsync(context, JsonSerializer.SerializeToUtf8Bytes(value, type), status);

    /// <summary>Answers with one JSON text.</summary>
    public static Task WriteAsync(HttpContext context, byte[] body, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return HeldAnswer.WriteAsync(context, body, context.RequestAborted);
    }

    public static Task NoContent(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
