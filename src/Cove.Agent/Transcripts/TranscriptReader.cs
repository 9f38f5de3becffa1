using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Cove.Agent.Transcripts;

/// <summary>Reads transcripts. What is in them came from models and programs: nothing in them is trusted, and lengths are bounded.</summary>
public static class TranscriptReader
{
    private const int MaximumLine = 64 * 1024 * 1024;

    /// <summary>
    /// The lines of a transcript, in their order. A last line without its end (the writer was killed) is left out; any other that can't be read is a
    /// <see cref="FormatException"/> that says which.
    /// </summary>
    public static async IAsyncEnumerable<TranscriptLine> ReadAsync(Stream transcript, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transcript);
        var number = 0;
        await foreach (var line in LinesAsync(transcript, cancellationToken))
        {
            number++;
            if (line.Length > 0)
            {
                yield return Parse(line, number);
            }
        }
    }

    private static TranscriptLine Parse(string line, int number)
    {
        try
        {
            return JsonSerializer.Deserialize(line, TranscriptJson.Default.TranscriptLine) ?? throw new JsonException("it is null");
        }
        catch (Exception failure) when (failure is JsonException or NotSupportedException)
        {
            throw new FormatException($"Line {number} is no line of a transcript: {failure.Message}", failure);
        }
    }

    private static async IAsyncEnumerable<string> LinesAsync(Stream transcript, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        using var line = new MemoryStream();
        int read;
        while ((read = await transcript.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var start = 0;
            for (var end = Array.IndexOf(buffer, (byte)'\n', 0, read); end >= 0; end = Array.IndexOf(buffer, (byte)'\n', start, read - start))
            {
                line.Write(buffer, start, end - start);
                yield return Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length);
                line.SetLength(0);
                start = end + 1;
            }

            line.Write(buffer, start, read - start);
            if (line.Length > MaximumLine)
            {
                throw new FormatException($"A line is longer than {MaximumLine} bytes: this is no transcript.");
            }
        }
    }
}
