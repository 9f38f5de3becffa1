using Cove.Engine.Files;

namespace Cove.Engine.Runs;

/// <summary>
/// The bounded file in the sandbox that takes the output a caller is not shown. It counts against the sandbox's disk; a failure
/// only ends the saving, never the run.
/// </summary>
internal sealed class OutputSpill(RunId run, OutputStream stream, SandboxFiles files)
{
    public const long MaxBytes = 16L << 20;

    private FileWrite? _file;
    private string? _failure;
    private long _saved;
    private bool _opened;

    public string Path { get; } = $"/tmp/.cove/{run}.{(stream == OutputStream.Stdout ? "stdout" : "stderr")}";

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        if (_failure is not null || _saved == MaxBytes)
        {
            return;
        }

        // Whatever goes wrong here, the run must not learn of it by anything but the notice.
        try
        {
            if (!_opened)
            {
                _opened = true;
                _file = await files.BeginWriteAsync(Path, new FileWriteOptions { Mode = 0x180 }, CancellationToken.None);
            }

            var count = (int)Math.Min(bytes.Length, MaxBytes - _saved);
            _file!.Append(bytes.Span[..count]);
            _saved += count;
        }
        catch (Exception exception)
        {
            await FailAsync(exception);
        }
    }

    /// <summary>Makes the file visible and says where the rest is.</summary>
    public async Task<string> FinishAsync()
    {
        try
        {
            if (_file is not null && _failure is null)
            {
                await _file.CommitAsync(CancellationToken.None);
                return _saved == MaxBytes
                    ? $"The {_saved:N0} bytes after the cut are in {Path}; what came after them was dropped."
                    : $"The rest is in {Path}.";
            }
        }
        catch (Exception exception)
        {
            await FailAsync(exception);
        }

        return $"The rest could not be saved{(_failure is null ? "" : $" ({_failure})")}.";
    }

    private async ValueTask FailAsync(Exception exception)
    {
        _failure = exception is CoveException { Error.Code: var code } ? code : "the sandbox's disk did not take it";
        if (_file is { } file)
        {
            _file = null;
            await file.AbortAsync();
        }
    }
}
