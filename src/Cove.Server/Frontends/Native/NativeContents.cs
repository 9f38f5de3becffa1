using System.Buffers;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>What streams out of a sandbox: files, whole or in part, and archives.</summary>
internal static class NativeContents
{
    private const int CopyBytes = 256 * 1024;

    /// <summary>Where the server has no more memory for what waits to be read.</summary>
    private const int SmallCopyBytes = 16 * 1024;

    /// <summary>A file, or the one range that was asked for. Several ranges, and those under a condition, are answered with the whole, as RFC 9110 allows.</summary>
    public static async Task DownloadAsync(HttpContext context)
    {
        await using var content = await context.Cove().ReadFileAsync(Sandbox(context), Path(context), null, context.RequestAborted);
        var (start, length) = Part(context, content.Length);
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = length;
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        if (start > 0)
        {
            content.Position = start;
        }

        await CopyAsync(context, content, length);
    }

    /// <summary>A directory as a tar archive, of a length nobody knows beforehand.</summary>
    public static async Task PackAsync(HttpContext context)
    {
        await using var archive = await context.Cove().ReadArchiveAsync(Sandbox(context), Path(context), context.RequestAborted);
        context.Response.ContentType = "application/x-tar";
        await CopyAsync(context, archive, long.MaxValue);
    }

    public static async Task UnpackAsync(HttpContext context)
    {
        if (context.Request.ContentType is { } type && type is not ("application/x-tar" or "application/octet-stream"))
        {
            throw new BadHttpRequestException("The body's content type is not application/x-tar.", StatusCodes.Status415UnsupportedMediaType);
        }

        Unbound(context);
        await context.Cove().WriteArchiveAsync(Sandbox(context), Path(context), context.Request.Body, context.RequestAborted);
        await NoContent(context);
    }

    /// <summary>The sandbox's disk limit is the bound of a body.</summary>
    public static void Unbound(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null;
        }
    }

    /// <summary>The part of a file that is answered; sets the status and the headers that say so.</summary>
    private static (long Start, long Length) Part(HttpContext context, long total)
    {
        context.Response.Headers.AcceptRanges = "bytes";
        if (total == 0 || !StringValues.IsNullOrEmpty(context.Request.Headers.IfRange)
            || !RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var asked)
            || !asked.Unit.Equals("bytes", StringComparison.OrdinalIgnoreCase) || asked.Ranges.Count != 1)
        {
            return (0, total);
        }

        var range = asked.Ranges.First();
        var start = range.From ?? Math.Max(0, total - range.To!.Value);
        if (start >= total || (range.From is null && range.To == 0))
        {
            context.Response.OnStarting(() =>
            {
                context.Response.Headers.ContentRange = $"bytes */{total}";
                return Task.CompletedTask;
            });
            throw new CoveException(Problems.Request(
                "range_not_satisfiable", $"The file has {total} bytes; the range {asked} has none of them.", $"Start before {total}, or ask without a Range header."));
        }

        var end = range.From is null ? total - 1 : Math.Min(range.To ?? long.MaxValue, total - 1);
        context.Response.StatusCode = StatusCodes.Status206PartialContent;
        context.Response.Headers.ContentRange = $"bytes {start}-{end}/{total}";
        return (start, end - start + 1);
    }

    private static async Task CopyAsync(HttpContext context, Stream content, long left)
    {
        // A piece is there twice while it waits: here and in the connection.
        using var held = context.Features.Get<Caller>()?.Held is { } share ? new HeldBytes(share) : null;
        var piece = held?.TryGrow(CopyBytes * 2) == false ? SmallCopyBytes : CopyBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(piece);
        try
        {
            while (left > 0)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(piece, left)), context.RequestAborted);
                if (read == 0)
                {
                    if (context.Response.ContentLength is not null)
                    {
                        // The guest shortened the file meanwhile; the promised length can't be kept, and the caller must notice.
                        context.Abort();
                    }

                    return;
                }

                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                left -= read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
