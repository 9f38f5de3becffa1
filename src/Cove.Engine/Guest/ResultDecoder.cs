using System.Text;
using System.Text.Json;

namespace Cove.Engine.Guest;

/// <summary>
/// Decodes the result frames of one run, strictly. Never throws for what a guest sent: a broken frame is a
/// <see cref="ResultMessage.Violation"/>. Values over the display budget are dropped with one notice, as output is; only a
/// flood far beyond it stops the run.
/// </summary>
internal sealed class ResultDecoder(string nonce)
{
    public const int MaxFrames = 10_000;
    public const long MaxDisplayBytes = 16L << 20;
    public const int MaxTracebackChars = 64 << 10;

    // Ten times what is shown: an honest loop that displays too much goes on, a flood does not keep a core busy for ever.
    private const int FloodFrames = 10 * MaxFrames;
    private const long FloodBytes = 64L << 20;
    private const int MaxOpenParts = 64;
    private const int MaxMimeTypes = 64;

    private readonly Dictionary<int, StringBuilder> _parts = [];
    private long _displayBytes;
    private long _bytes;
    private int _frames;
    private bool _cut;

    /// <summary>Decodes the body of one frame.</summary>
    public ResultMessage Decode(ReadOnlySpan<byte> body)
    {
        _frames++;
        _bytes += body.Length;
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Frames.MaxDepth });
            var fields = new ResultFields();
            StrictJson.ReadObject(ref reader, ref fields, ReadField);
            StrictJson.ExpectEnd(ref reader);
            return Interpret(fields, body.Length);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // InvalidOperationException is what Utf8JsonReader throws for text that is no UTF-8.
            return new ResultMessage.Violation("a result frame is no valid JSON of the right shape");
        }
    }

    private ResultMessage Interpret(ResultFields fields, int bytes)
    {
        if (fields.Type is null || fields.Run is null)
        {
            return new ResultMessage.Violation("a result frame lacks 't' or 'run'");
        }

        if (!string.Equals(fields.Run, nonce, StringComparison.Ordinal))
        {
            return new ResultMessage.Violation("a result frame does not carry this run's nonce");
        }

        return fields.Type switch
        {
            "done" => Done(fields),
            "display" or "part" or "notice" when _frames > FloodFrames || _bytes > FloodBytes => new ResultMessage.Flood(),
            "display" => Display(fields, bytes),
            "part" => Part(fields, bytes),
            "notice" => Notice(fields),
            "host_call" => HostCall(fields, bytes),
            _ => new ResultMessage.Violation("a result frame has an unknown type"),
        };
    }

    /// <summary>These have bounds of their own, and don't use up what a run may display.</summary>
    private ResultMessage HostCall(ResultFields fields, int bytes)
    {
        _frames--;
        _bytes -= bytes;
        return fields is { Call: { } call, Name: { } name, Arguments: { } arguments }
            ? new ResultMessage.HostCall(call, name, arguments)
            : new ResultMessage.Violation("a host_call frame lacks its call, name or arguments");
    }

    private static ResultMessage Done(ResultFields fields)
    {
        return (fields.Status, fields.Error, fields.ExitCode) switch
        {
            ("ok", _, _) => new ResultMessage.Done(DoneStatus.Ok, null, null),
            ("error", { } error, _) => new ResultMessage.Done(DoneStatus.Error, error, null),
            ("interrupted", var error, _) => new ResultMessage.Done(DoneStatus.Interrupted, error, null),
            ("exit", _, { } code) => new ResultMessage.Done(DoneStatus.Exit, null, code),
            _ => new ResultMessage.Violation("a done frame has an unknown status or lacks what its status needs"),
        };
    }

    private ResultMessage Display(ResultFields fields, int bytes)
    {
        if (fields.Kind is not ("display" or "result") || fields.Data is null)
        {
            return new ResultMessage.Violation("a display frame lacks its data or has an unknown kind");
        }

        if (!HasRoom(bytes, out var cut))
        {
            _parts.Clear();
            return cut;
        }

        foreach (var (mime, id) in fields.Parts ?? [])
        {
            if (!_parts.Remove(id, out var joined))
            {
                return _cut ? ResultMessage.Nothing.Instance : new ResultMessage.Violation("a display frame names a part that was not sent");
            }

            fields.Data[mime] = joined.ToString();
        }

        return new ResultMessage.Display(fields.Kind == "result", fields.Data);
    }

    private ResultMessage Part(ResultFields fields, int bytes)
    {
        if (fields.Id is not { } id || fields.Text is not { } text)
        {
            return new ResultMessage.Violation("a part frame lacks its id or data");
        }

        if (!HasRoom(bytes, out var cut))
        {
            _parts.Clear();
            return cut;
        }

        if (!_parts.TryGetValue(id, out var joined))
        {
            if (_parts.Count == MaxOpenParts)
            {
                return new ResultMessage.Violation($"more than {MaxOpenParts} values in pieces at once");
            }

            _parts[id] = joined = new StringBuilder();
        }

        joined.Append(text);
        return ResultMessage.Nothing.Instance;
    }

    private ResultMessage Notice(ResultFields fields)
    {
        if (fields.Code is null || fields.Message is null)
        {
            return new ResultMessage.Violation("a notice frame lacks its code or message");
        }

        return HasRoom(0, out var cut) ? new ResultMessage.Notice(fields.Code, fields.Message) : cut;
    }

    private bool HasRoom(int bytes, out ResultMessage cut)
    {
        _displayBytes += bytes;
        cut = ResultMessage.Nothing.Instance;
        if (_frames <= MaxFrames && _displayBytes <= MaxDisplayBytes)
        {
            return true;
        }

        if (!_cut)
        {
            _cut = true;
            cut = new ResultMessage.Notice(
                "display_cut",
                $"More than {MaxFrames:N0} values or {MaxDisplayBytes >> 20} MiB of them were shown in one run; further ones are dropped. Write large results to files.");
        }

        return false;
    }

    private static bool ReadField(ref Utf8JsonReader reader, ref ResultFields fields, scoped ReadOnlySpan<char> name)
    {
        switch (name)
        {
            case "t": fields.Type = StrictJson.String(ref reader, 32); return true;
            case "run": fields.Run = StrictJson.String(ref reader, 64); return true;
            case "kind": fields.Kind = StrictJson.String(ref reader, 32); return true;
            case "status": fields.Status = StrictJson.String(ref reader, 32); return true;
            case "id": fields.Id = StrictJson.Int32(ref reader); return true;
            case "exit_code": fields.ExitCode = reader.TokenType == JsonTokenType.Null ? null : StrictJson.Int32(ref reader); return true;
            case "code": fields.Code = StrictJson.String(ref reader, 64); return true;
            case "call": fields.Call = StrictJson.Int32(ref reader); return true;
            case "name": fields.Name = StrictJson.String(ref reader, 64); return true;
            case "arguments": fields.Arguments = StrictJson.Text(ref reader); return true;
            case "message": fields.Message = StrictJson.Cut(ref reader, 4096); return true;
            case "metadata": StrictJson.Require(reader.TokenType is JsonTokenType.StartObject or JsonTokenType.Null); reader.Skip(); return true;
            case "data" when reader.TokenType == JsonTokenType.String: fields.Text = StrictJson.Text(ref reader); return true;
            case "data": fields.Data = ReadData(ref reader); return true;
            case "parts": fields.Parts = ReadParts(ref reader); return true;
            case "error": fields.Error = ReadError(ref reader); return true;
            default: return false;
        }
    }

    private static Dictionary<string, string> ReadData(ref Utf8JsonReader reader)
    {
        StrictJson.Require(reader.TokenType == JsonTokenType.StartObject);
        var data = new Dictionary<string, string>();
        StrictJson.ReadFields(ref reader, ref data, static (ref Utf8JsonReader value, ref Dictionary<string, string> all, scoped ReadOnlySpan<char> mime) =>
        {
            StrictJson.Require(all.Count < MaxMimeTypes && mime.Length > 0);
            all[mime.ToString()] = StrictJson.Text(ref value);
            return true;
        });
        return data;
    }

    private static Dictionary<string, int>? ReadParts(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        StrictJson.Require(reader.TokenType == JsonTokenType.StartObject);
        var parts = new Dictionary<string, int>();
        StrictJson.ReadFields(ref reader, ref parts, static (ref Utf8JsonReader value, ref Dictionary<string, int> all, scoped ReadOnlySpan<char> mime) =>
        {
            StrictJson.Require(all.Count < MaxMimeTypes && mime.Length > 0);
            all[mime.ToString()] = StrictJson.Int32(ref value);
            return true;
        });
        return parts;
    }

    private static GuestException? ReadError(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        StrictJson.Require(reader.TokenType == JsonTokenType.StartObject);
        var error = new ErrorFields();
        StrictJson.ReadFields(ref reader, ref error, static (ref Utf8JsonReader value, ref ErrorFields all, scoped ReadOnlySpan<char> name) =>
        {
            switch (name)
            {
                case "name": all.Name = StrictJson.Cut(ref value, 1024); return true;
                case "value": all.Value = StrictJson.Cut(ref value, MaxTracebackChars); return true;
                case "traceback": all.Traceback = StrictJson.Cut(ref value, MaxTracebackChars); return true;
                default: return false;
            }
        });
        StrictJson.Require(error.Name is { Length: > 0 } && error.Value is not null && error.Traceback is not null);
        return new GuestException(error.Name!, error.Value!, error.Traceback!);
    }

    private struct ErrorFields
    {
        public string? Name;
        public string? Value;
        public string? Traceback;
    }

    private struct ResultFields
    {
        public string? Type;
        public string? Run;
        public string? Kind;
        public string? Status;
        public string? Code;
        public string? Message;
        public string? Text;
        public string? Name;
        public string? Arguments;
        public int? Id;
        public int? Call;
        public int? ExitCode;
        public Dictionary<string, string>? Data;
        public Dictionary<string, int>? Parts;
        public GuestException? Error;
    }
}
