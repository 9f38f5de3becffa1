using System.Text;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Logs;

/// <summary>A line for a reader at a terminal. Control characters are shown, not obeyed: a message can neither forge a line nor move the cursor.</summary>
internal sealed class TextLines : ILogFormat
{
    public byte[] Format(in LogLine line)
    {
        var text = new StringBuilder(160).Append(line.Time.ToString("HH:mm:ss.fff")).Append(' ').Append(Level(line.Level)).Append(' ');
        Append(text, LogLine.Cut(line.Message));
        if (line.CorrelationId is { } correlation)
        {
            text.Append("  [").Append(correlation).Append(']');
        }

        text.Append('\n');
        foreach (var part in line.Exception is { } exception ? LogLine.Cut(exception.ToString()).Split('\n') : [])
        {
            text.Append("    | ");
            Append(text, part.TrimEnd('\r'));
            text.Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Append(StringBuilder text, string said)
    {
        foreach (var character in said)
        {
            if (char.IsControl(character) || character is '\u2028' or '\u2029')
            {
                text.Append($"\\u{(int)character:x4}");
            }
            else
            {
                text.Append(character);
            }
        }
    }

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "WARN ",
        _ => "ERROR",
    };
}
