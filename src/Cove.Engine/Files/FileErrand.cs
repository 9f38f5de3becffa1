using System.Net.Sockets;
using System.Text.Json;
using Cove.Engine.Isolation;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>
/// One long piece of file work (an archive, a watch), done by a worker of its own so that no other call waits for it. Its bytes come and go
/// over a stream of its own; how it ended is asked for afterwards.
/// </summary>
internal sealed class FileErrand : IAsyncDisposable
{
    private readonly FileLink _link;
    private readonly Socket _socket;
    private readonly Action _over;
    private int _disposed;

    private FileErrand(FileLink link, Socket socket, Action over)
    {
        _link = link;
        _socket = socket;
        _over = over;
    }

    /// <summary>Starts a worker and gives it the work. <paramref name="over"/> is called once when it is disposed.</summary>
    public static async Task<FileErrand> BeginAsync(
        Cell cell, TimeProvider time, string operation, Action<Utf8JsonWriter> fields, Action over, CancellationToken cancellationToken)
    {
        var link = new FileLink(await OpenAsync(cell, time, cancellationToken), time);
        try
        {
            var reply = await link.CallAsync(operation, fields, SandboxFiles.CallLimit, cancellationToken);
            if (!reply.Ok || reply.Descriptor is not { } descriptor)
            {
                reply.Dispose();
                throw reply.Ok ? FileErrors.BadAnswer() : FileErrors.Refused(reply.Last);
            }

            return new FileErrand(link, Adopt(descriptor), over);
        }
        catch (FileWorkerLostException lost)
        {
            link.Dispose();
            throw FileErrors.WorkerLost(lost.Message);
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    /// <summary>Bytes from the worker; 0 at the end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _socket.ReceiveAsync(buffer, cancellationToken);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return 0; // whether that was the end is what EndAsync tells
        }
    }

    /// <summary>Bytes to the worker; false when it takes no more.</summary>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            for (; !bytes.IsEmpty; bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..])
            {
            }

            return true;
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>How the work ended; throws what it failed with.</summary>
    public async Task<JsonElement> EndAsync(CancellationToken cancellationToken)
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The worker closed its end first.
        }

        try
        {
            using var reply = await _link.CallAsync("end", static _ => { }, SandboxFiles.CallLimit, cancellationToken);
            return reply.Ok ? reply.Last : throw FileErrors.Refused(reply.Last);
        }
        catch (FileWorkerLostException lost)
        {
            throw FileErrors.WorkerLost(lost.Message);
        }
    }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            _socket.Dispose();
            _link.Dispose();
            _over();
        }

        return ValueTask.CompletedTask;
    }

    private static async Task<IFrameLink> OpenAsync(Cell cell, TimeProvider time, CancellationToken cancellationToken)
    {
        // The backend is not told of the token: a worker that comes late must come back, so that its link is closed.
        var opening = cell.OpenFilesAsync(CancellationToken.None);
        try
        {
            return await opening.WaitAsync(SandboxFiles.CallLimit, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            _ = opening.ContinueWith(
                static late => late.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            if (exception is TimeoutException)
            {
                throw FileErrors.WorkerLost("it did not start");
            }

            throw;
        }
    }

    private static Socket Adopt(SafeFileHandle descriptor)
    {
        var handle = new SafeSocketHandle(descriptor.DangerousGetHandle(), ownsHandle: true);
        descriptor.SetHandleAsInvalid();
        try
        {
            return new Socket(handle);
        }
        catch (SocketException)
        {
            handle.Dispose();
            throw FileErrors.BadAnswer();
        }
    }
}
