using Cove.Server.Hosting;
using Cove.Wire;
using Microsoft.AspNetCore.Http;
using static Cove.Server.Frontends.Native.NativeWire;

namespace Cove.Server.Frontends.Native;

/// <summary>The routes of files; contents stream both ways and are never held whole.</summary>
internal static class NativeFiles
{
    private static readonly Parameter _path = new("path", "The absolute path in the sandbox.", Required: true);

    public static void Map(Routes routes)
    {
        var range = new Parameter("Range", "One range of bytes, for example bytes=0-1023; it is answered with 206.");
        routes.Get("/v1/sandboxes/{sandbox}/files/content", new Operation("readFile", "A regular file's content, or a range of it.") { Needs = Scopes.Read, Query = [_path], Headers = [range], AnswerTypes = ["application/octet-stream"] }, NativeContents.DownloadAsync);
        routes.Head("/v1/sandboxes/{sandbox}/files/content", new Operation("headFile", "How long a regular file is.") { Needs = Scopes.Read, Query = [_path], Headers = [range], AnswerTypes = [] }, NativeContents.DownloadAsync);
        routes.Get("/v1/sandboxes/{sandbox}/files/archive", new Operation("readArchive", "A directory with all it holds as a tar archive (POSIX pax).") { Needs = Scopes.Read, Query = [_path], AnswerTypes = ["application/x-tar"] }, NativeContents.PackAsync);
        routes.Put("/v1/sandboxes/{sandbox}/files/archive", new Operation("writeArchive", "Unpacks a tar archive into a directory.") { Needs = Scopes.Write, Query = [_path], RawBody = "application/x-tar", Status = 204 }, NativeContents.UnpackAsync);
        routes.Get("/v1/sandboxes/{sandbox}/files/watch", new Operation("watchFiles", "Tells of changes in a directory as they happen.")
        {
            Needs = Scopes.Read,
            Endless = true,
            Query = [_path, new("recursive", "Whether also beneath it. Default false.", "boolean")],
            Answer = typeof(FileChange),
            AnswerTypes = ["application/x-ndjson", "text/event-stream"],
        }, context => NativeWatches.WatchAsync(context, Flag(context, "recursive", missing: false), TimeProvider.System));
        routes.Put("/v1/sandboxes/{sandbox}/files/content", new Operation("writeFile", "Writes a file whole: it appears when all of it is there, or not at all.")
        {
            Needs = Scopes.Write,
            Query = [_path, new("mode", "Permission bits, octal. Default 644."), new("overwrite", "Whether an existing file is replaced. Default true.", "boolean"), new("create_parents", "Whether missing directories are made. Default true.", "boolean")],
            RawBody = "application/octet-stream",
            Answer = typeof(FileEntry),
        }, UploadAsync);
        routes.Get("/v1/sandboxes/{sandbox}/files/stat", new Operation("statFile", "What a path is; a link is not followed.") { Needs = Scopes.Read, Query = [_path], Answer = typeof(FileEntry) }, async context =>
            await WriteAsync(context, await context.Cove().StatFileAsync(Sandbox(context), Path(context), context.RequestAborted), CoveJson.Wire.FileEntry));
        routes.Get("/v1/sandboxes/{sandbox}/files/list", new Operation("listFiles", "What a directory holds, sorted by name.") { Needs = Scopes.Read, Query = [_path, new("depth", "How deep. Default 1; 1 to 64.", "integer")], Answer = typeof(FileList) }, async context =>
        {
            var files = await context.Cove().ListFilesAsync(Sandbox(context), Path(context), Number(context, "depth", 1), context.RequestAborted);
            await WriteAsync(context, new FileList(files), CoveJson.Wire.FileList);
        });
        routes.Post("/v1/sandboxes/{sandbox}/files/mkdir", new Operation("makeDirectory", "Makes a directory and its missing parents.") { Needs = Scopes.Write, Body = typeof(DirectoryRequest), Status = 201, Answer = typeof(FileEntry) }, async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.DirectoryRequest);
            var entry = await context.Cove().MakeDirectoryAsync(Sandbox(context), request.Path, context.RequestAborted);
            await WriteAsync(context, entry, CoveJson.Wire.FileEntry, StatusCodes.Status201Created);
        });
        routes.Post("/v1/sandboxes/{sandbox}/files/move", new Operation("moveFile", "Moves a file or directory.") { Needs = Scopes.Write, Body = typeof(MoveRequest), Answer = typeof(FileEntry) }, async context =>
        {
            var request = await ReadAsync(context, CoveJson.Wire.MoveRequest);
            var entry = await context.Cove().MoveFileAsync(Sandbox(context), request.From, request.To, request.Overwrite, context.RequestAborted);
            await WriteAsync(context, entry, CoveJson.Wire.FileEntry);
        });
        routes.Delete("/v1/sandboxes/{sandbox}/files", new Operation("removeFile", "Removes a file, a link or an empty directory; with recursive a directory with all it holds.") { Needs = Scopes.Write, Query = [_path, new("recursive", "Whether a directory goes with all it holds. Default false.", "boolean")], Status = 204 }, async context =>
        {
            await context.Cove().RemoveFileAsync(Sandbox(context), Path(context), Flag(context, "recursive", missing: false), context.RequestAborted);
            await NoContent(context);
        });
    }

    private static async Task UploadAsync(HttpContext context)
    {
        var defaults = new FileWriteOptions();
        var options = new FileWriteOptions
        {
            Mode = Mode(context, defaults.Mode),
            Overwrite = Flag(context, "overwrite", defaults.Overwrite),
            CreateParents = Flag(context, "create_parents", defaults.CreateParents),
        };
        NativeContents.Unbound(context);
        var entry = await context.Cove().WriteFileAsync(Sandbox(context), Path(context), context.Request.Body, options, context.RequestAborted);
        await WriteAsync(context, entry, CoveJson.Wire.FileEntry);
    }
}
