using System.Buffers;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of files; contents stream both ways and are never held whole.</summary>
internal static class NativeFiles
{
    private const int CopyBytes = 256 * 1024;

    public static void Map(NativeEndpoints.Routes routes, ICove cove)
    {
        routes.Get("/v1/sandboxes/{sandbox}/files/content", context => DownloadAsync(context, cove));
        routes.Put("/v1/sandboxes/{sandbox}/files/content", context => UploadAsync(context, cove));
        routes.Get("/v1/sandboxes/{sandbox}/files/stat", async context =>
            await WriteAsync(context, await cove.StatFileAsync(Sandbox(context), Path(context), context.RequestAborted), CoveJson.Wire.FileEntry));
        routes.Get("/v1/sandboxes/{sandbox}/files/list", async context =>
        {
            var files = await cove.ListFilesAsync(Sandbox(context), Path(context), Number(context, "depth", 1), context.RequestAborted);
            await WriteAsync(context, new FileList(files), CoveJson.Wire.FileList);
        });
        routes.Post("/v1/sandboxes/{sandbox}/files/mkdir", async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.DirectoryRequest);
            var entry = await cove.MakeDirectoryAsync(Sandbox(context), request.Path, context.RequestAborted);
            await WriteAsync(context, entry, CoveJson.Wire.FileEntry, StatusCodes.Status201Created);
        });
        routes.Post("/v1/sandboxes/{sandbox}/files/move", async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.MoveRequest);
            var entry = await cove.MoveFileAsync(Sandbox(context), request.From, request.To, request.Overwrite, context.RequestAborted);
            await WriteAsync(context, entry, CoveJson.Wire.FileEntry);
        });
        routes.Delete("/v1/sandboxes/{sandbox}/files", async context =>
        {
            await cove.RemoveFileAsync(Sandbox(context), Path(context), Flag(context, "recursive", missing: false), context.RequestAborted);
            await NoContent(context);
        });
    }

    private static async Task UploadAsync(HttpContext context, ICove cove)
    {
        var defaults = new FileWriteOptions();
        var options = new FileWriteOptions
        {
            Mode = Mode(context, defaults.Mode),
            Overwrite = Flag(context, "overwrite", defaults.Overwrite),
            CreateParents = Flag(context, "create_parents", defaults.CreateParents),
        };
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = null; // the sandbox's disk limit is the bound
        }

        var entry = await cove.WriteFileAsync(Sandbox(context), Path(context), context.Request.Body, options, context.RequestAborted);
        await WriteAsync(context, entry, CoveJson.Wire.FileEntry);
    }

    private static async Task DownloadAsync(HttpContext context, ICove cove)
    {
        await using var content = await cove.ReadFileAsync(Sandbox(context), Path(context), context.RequestAborted);
        var left = content.Length;
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = left;
        var buffer = ArrayPool<byte>.Shared.Rent(CopyBytes);
        try
        {
            while (left > 0)
            {
                var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(CopyBytes, left)), context.RequestAborted);
                if (read == 0)
                {
                    // The guest shortened the file meanwhile; the promised length can't be kept, and the caller must notice.
                    context.Abort();
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
