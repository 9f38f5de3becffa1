using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Cove.Engine.Isolation;
using Microsoft.Win32.SafeHandles;

namespace Cove.Tests.Support;

/// <summary>A file worker over a temporary directory, or whatever the test's script answers.</summary>
internal sealed class FakeFileWorker : IFrameLink
{
    private readonly Channel<ReceivedFrame> _answers = Channel.CreateUnbounded<ReceivedFrame>();
    private readonly ConcurrentDictionary<string, (string Temporary, string Path)> _writes = new();

    /// <summary>Answers a request instead of the worker: frames' JSON without <c>t</c> and <c>id</c>; null: as usual; empty: no answer.</summary>
    public Func<JsonElement, string[]?> Script { get; set; } = _ => null;

    public string Root { get; set; } = TemporaryPlace.Make().FullName;

    public ConcurrentQueue<string> Operations { get; } = new();

    public ValueTask SendAsync(ReadOnlyMemory<byte> body, RunChannels? channels, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(body);
        var request = document.RootElement.Clone();
        Operations.Enqueue(request.GetProperty("op").GetString()!);
        var id = request.GetProperty("id").GetInt32();
        if (Script(request) is { } scripted)
        {
            foreach (var fields in scripted)
            {
                Say(id, fields, null);
            }

            return default;
        }

        Answer(id, request);
        return default;
    }

    public async ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken) =>
        await _answers.Reader.WaitToReadAsync(cancellationToken) && _answers.Reader.TryRead(out var frame) ? frame : null;

    public void Say(int id, string fields, SafeFileHandle? descriptor) => SayRaw($$"""{"t":"file","id":{{id}},{{fields}}}""", descriptor);

    public void SayRaw(string json, SafeFileHandle? descriptor = null) => _answers.Writer.TryWrite(new ReceivedFrame(Encoding.UTF8.GetBytes(json), descriptor));

    public void Die() => _answers.Writer.TryComplete();

    public void Dispose() => Die();

    private void Answer(int id, JsonElement request)
    {
        string Host(string name) => Path.Combine(Root, request.GetProperty(name).GetString()!.TrimStart('/').Replace('/', '_'));
        switch (request.GetProperty("op").GetString())
        {
            case "write":
                var token = Guid.NewGuid().ToString("N");
                var temporary = Path.Combine(Root, token);
                _writes[token] = (temporary, request.GetProperty("path").GetString()!);
                Say(id, $"\"ok\":true,\"token\":\"{token}\"", File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite));
                break;
            case "commit" when _writes.TryRemove(request.GetProperty("token").GetString()!, out var write):
                var target = Path.Combine(Root, write.Path.TrimStart('/').Replace('/', '_'));
                File.Move(write.Temporary, target, overwrite: true);
                Say(id, "\"ok\":true," + Stat(write.Path, target), null);
                break;
            case "abort" when _writes.TryRemove(request.GetProperty("token").GetString()!, out var aborted):
                File.Delete(aborted.Temporary);
                Say(id, "\"ok\":true", null);
                break;
            case "read" when File.Exists(Host("path")):
                Say(id, "\"ok\":true," + Stat(request.GetProperty("path").GetString()!, Host("path")), File.OpenHandle(Host("path"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
                break;
            case "stat" when File.Exists(Host("path")):
                Say(id, "\"ok\":true," + Stat(request.GetProperty("path").GetString()!, Host("path")), null);
                break;
            case "usage":
                Say(id, "\"ok\":true,\"used_bytes\":4096,\"used_inodes\":7", null);
                break;
            default:
                Say(id, "\"ok\":false,\"code\":\"not_found\",\"message\":\"There is no such file.\"", null);
                break;
        }
    }

    private static string Stat(string path, string host) =>
        $$"""  "stat":{"path":"{{path}}","type":"file","size_bytes":{{new FileInfo(host).Length}},"allocated_bytes":4096,"mode":420,"modified_ms":1767225600000}  """;
}
