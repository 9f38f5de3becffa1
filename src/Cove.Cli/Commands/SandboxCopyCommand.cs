using System.CommandLine;
using System.Formats.Tar;
using Cove.Cli.Running;
using Cove.Cli.Warm;
using Cove.Client;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox cp</c>: files and directories into a sandbox and out of it.</summary>
internal static class SandboxCopyCommand
{
    public static Command Create(TimeProvider time)
    {
        var from = new Argument<string>("from") { Description = "A path of this machine, or ID:/path in a sandbox." };
        var to = new Argument<string>("to") { Description = "The other of the two." };
        var engine = new EngineOptionSet();
        var command = new Command("cp", "Copy a file or a directory into a sandbox (FROM ID:/path) or out of it (ID:/path TO). Into a directory that is there, or a path that ends in '/', it goes under its own name; FROM/. is what a directory holds.") { from, to };
        engine.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (source, target) = (Place.Parse(parsed.GetRequiredValue(from)), Place.Parse(parsed.GetRequiredValue(to)));
            if (source.Sandbox is null == target.Sandbox is null)
            {
                throw Errors.Usage("copy_places", "cp copies between this machine and one sandbox.", "Write one of the two as ID:/path, for example: cove sandbox cp data.csv ID:/workspace/data.csv");
            }

            await using var cove = await Connection.OpenAsync(engine.Choice(parsed), time, cancellationToken);
            await (source.Sandbox is { } there
                ? OutAsync(cove, there, source.Path, target.Path, cancellationToken)
                : InAsync(cove, source.Path, target.Sandbox!.Value, target.Path, cancellationToken));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task InAsync(CoveClient cove, string path, SandboxId sandbox, string target, CancellationToken cancellationToken)
    {
        var name = IsContents(path) ? "" : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (name.Length > 0 && (target.EndsWith('/') || await IsDirectoryAsync(cove, sandbox, target, cancellationToken)))
        {
            target = target.TrimEnd('/') + "/" + name;
        }

        if (Directory.Exists(path))
        {
            // Through a file: its length is not known while it is made, and a failure on this side must not leave half a directory there.
            await using var archive = Temporary();
            await TarFile.CreateFromDirectoryAsync(path, archive, includeBaseDirectory: false, cancellationToken);
            archive.Position = 0;
            await cove.WriteArchiveAsync(sandbox, target, archive, cancellationToken);
            return;
        }

        await using var file = Inputs.Open(path, "the file");
        await cove.WriteFileAsync(sandbox, target, file, new FileWriteOptions { Mode = (int)File.GetUnixFileMode(path) & 0x1ED }, cancellationToken);
    }

    private static async Task OutAsync(CoveClient cove, SandboxId sandbox, string path, string target, CancellationToken cancellationToken)
    {
        var entry = await cove.StatFileAsync(sandbox, path, cancellationToken);
        if (entry.Kind is FileKind.Directory)
        {
            var own = IsContents(path) ? null : OutDirectory.SafeName(path.TrimEnd('/')[(path.TrimEnd('/').LastIndexOf('/') + 1)..]);
            using var into = new OutDirectory(own is not null && (target.EndsWith('/') || Directory.Exists(target)) ? Path.Combine(target, own) : target);
            await SaveAllAsync(cove, sandbox, path, into, cancellationToken);
            return;
        }

        var isInto = target.EndsWith('/') || Directory.Exists(target);
        var name = isInto ? Path.GetFileName(path) : Path.GetFileName(target);
        using var directory = new OutDirectory(isInto ? target : Path.GetDirectoryName(Path.GetFullPath(target))!);
        await using var content = await cove.ReadFileAsync(sandbox, path, cancellationToken: cancellationToken);
        await directory.SaveAsync(OutDirectory.SafeName(name) ?? "file", content, entry.Mode, cancellationToken);
    }

    /// <summary>Names come from hostile code: each entry is cleaned and saved through descriptors, never by unpacking into a path.</summary>
    private static async Task SaveAllAsync(CoveClient cove, SandboxId sandbox, string path, OutDirectory into, CancellationToken cancellationToken)
    {
        await using var archive = await cove.ReadArchiveAsync(sandbox, path, cancellationToken);
        await using var reader = new TarReader(archive);
        var screen = new Screen();
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            {
                if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                {
                    screen.Notice($"{entry.Name} is a link and was left out.");
                }

                continue;
            }

            if (OutDirectory.SafeName(entry.Name) is not { } name)
            {
                screen.Notice($"{entry.Name} was left out: its name can't be used here.");
                continue;
            }

            await using var content = entry.DataStream ?? Stream.Null;
            await into.SaveAsync(name, content, (int)entry.Mode, cancellationToken);
        }

        screen.Flush();
    }

    /// <summary>Whether what a directory holds is meant, and not the directory: <c>tree/.</c>, and <c>.</c> itself.</summary>
    private static bool IsContents(string path) => path == "." || path.EndsWith("/.", StringComparison.Ordinal);

    private static async Task<bool> IsDirectoryAsync(CoveClient cove, SandboxId sandbox, string path, CancellationToken cancellationToken)
    {
        try
        {
            return (await cove.StatFileAsync(sandbox, path, cancellationToken)).Kind is FileKind.Directory;
        }
        catch (CoveException failure) when (failure.Error.Code is "not_found")
        {
            return false;
        }
    }

    private static FileStream Temporary() => new(
        Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()),
        new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose | FileOptions.Asynchronous, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });

    /// <summary>A path here, or one in a sandbox.</summary>
    private readonly record struct Place(SandboxId? Sandbox, string Path)
    {
        public static Place Parse(string text) =>
            text.IndexOf(":/", StringComparison.Ordinal) is var colon and > 0 && SandboxId.TryParse(text[..colon], out var id)
                ? new Place(id, text[(colon + 1)..])
                : new Place(null, text);
    }
}
