using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Cove.Agent.Tools.Sandbox;
using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>
/// The files of one sandbox, as Microsoft.Extensions.AI speaks of hosted files. Uploads go to <c>/workspace</c>; what is listed is what lies there.
/// A file id is bound to the sandbox: one of another, or one that is not well formed, is refused with <see cref="ArgumentException"/>.
/// </summary>
[Experimental("MEAI001")]
public sealed class SandboxFileClient : IHostedFileClient
{
    private const string Workspace = "/workspace";
    private const int ListingDepth = 8;
    private const int MaxNamesTried = 100;
    private readonly ICove _cove;
    private readonly SandboxId _sandbox;

    /// <summary>The files of a sandbox. Disposing this leaves the sandbox and the files as they are.</summary>
    public SandboxFileClient(ICove cove, SandboxId sandbox)
    {
        ArgumentNullException.ThrowIfNull(cove);
        (_cove, _sandbox) = (cove, sandbox);
    }

    /// <summary>Uploads a file into <c>/workspace</c>. A name that is taken gets a number; of a path only its last part is used.</summary>
    public async Task<HostedFileContent> UploadAsync(
        Stream content, string? mediaType = null, string? fileName = null, HostedFileClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        CheckScope(options);
        var name = FileNames.Safe(fileName, mediaType);
        var start = content.CanSeek ? content.Position : 0;
        for (var number = 1; ; number++)
        {
            var path = $"{Workspace}/{FileNames.Numbered(name, number)}";
            try
            {
                var entry = await _cove.WriteFileAsync(_sandbox, path, content, new FileWriteOptions { Overwrite = false }, cancellationToken);
                return Told(entry, mediaType);
            }
            catch (CoveException taken) when (taken.Error.Category == ErrorCategory.Conflict && content.CanSeek && number < MaxNamesTried)
            {
                content.Position = start;
            }
        }
    }

    /// <summary>Opens a file for reading.</summary>
    public async Task<HostedFileDownloadStream> DownloadAsync(string fileId, HostedFileClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckScope(options);
        var path = Known(fileId);
        return new SandboxFileStream(await _cove.ReadFileAsync(_sandbox, path, cancellationToken: cancellationToken), path);
    }

    /// <summary>What is known of a file; null when it is not there.</summary>
    public async Task<HostedFileContent?> GetFileInfoAsync(string fileId, HostedFileClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckScope(options);
        var path = Known(fileId);
        try
        {
            var entry = await _cove.StatFileAsync(_sandbox, path, cancellationToken);
            return entry.Kind == FileKind.File ? Told(entry, null) : null;
        }
        catch (CoveException none) when (IsMissing(none.Error))
        {
            return null;
        }
    }

    /// <summary>The files beneath <c>/workspace</c>, to a depth of 8.</summary>
    public async IAsyncEnumerable<HostedFileContent> ListFilesAsync(HostedFileClientOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        CheckScope(options);
        var files = await _cove.ListFilesAsync(_sandbox, Workspace, ListingDepth, cancellationToken);
        foreach (var entry in files.Where(f => f.Kind == FileKind.File).Take(options?.Limit ?? int.MaxValue))
        {
            yield return Told(entry, null);
        }
    }

    /// <summary>Removes a file; false when it is not there.</summary>
    public async Task<bool> DeleteAsync(string fileId, HostedFileClientOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckScope(options);
        try
        {
            await _cove.RemoveFileAsync(_sandbox, Known(fileId), cancellationToken: cancellationToken);
            return true;
        }
        catch (CoveException none) when (IsMissing(none.Error))
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(HostedFileClientMetadata) ? new HostedFileClientMetadata("cove")
            : serviceType == typeof(ICove) ? _cove
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Does nothing: the sandbox is not this client's.</summary>
    public void Dispose()
    {
    }

    /// <summary>Whether the file is not there; that the sandbox is not is another matter.</summary>
    private static bool IsMissing(RunError error) => error is { Category: ErrorCategory.NotFound, Code: "not_found" or "file_not_found" };

    private HostedFileContent Told(FileEntry entry, string? mediaType) => new(new SandboxFileId(_sandbox, entry.Path).ToString())
    {
        Name = Path.GetFileName(entry.Path),
        MediaType = mediaType ?? MediaTypes.Of(entry.Path),
        SizeInBytes = entry.SizeBytes,
        CreatedAt = entry.ModifiedAt,
        Scope = _sandbox.Value,
    };

    private string Known(string fileId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(fileId);
        if (!SandboxFileId.TryParse(fileId, out var id))
        {
            throw new ArgumentException("The file id is not one of Cove's. Use the ids that uploads, listings and results give.", nameof(fileId));
        }

        return id.Sandbox == _sandbox ? id.Path : throw new ArgumentException("The file id belongs to another sandbox. Ask the client of that sandbox.", nameof(fileId));
    }

    private void CheckScope(HostedFileClientOptions? options)
    {
        if (options?.Scope is { } scope && scope != _sandbox.Value)
        {
            throw new ArgumentException($"Scope is \"{scope}\"; this client's only scope is its sandbox, {_sandbox.Value}. Leave it out, or ask the client of that sandbox.", nameof(options));
        }
    }
}
