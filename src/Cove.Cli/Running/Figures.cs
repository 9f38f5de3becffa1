namespace Cove.Cli.Running;

/// <summary>Pictures out of a run's displays.</summary>
internal static class Figures
{
    /// <summary>The richest picture of a display with the ending its file takes; null when it has none, or none that decodes.</summary>
    public static (byte[] Content, string Extension)? Of(IReadOnlyDictionary<string, string> data)
    {
        foreach (var (type, extension) in new[] { ("image/png", ".png"), ("image/jpeg", ".jpg"), ("image/gif", ".gif"), ("image/webp", ".webp") })
        {
            if (data.TryGetValue(type, out var encoded))
            {
                try
                {
                    return (Convert.FromBase64String(encoded), extension);
                }
                catch (FormatException)
                {
                    return null;
                }
            }
        }

        return data.TryGetValue("image/svg+xml", out var drawing) ? (System.Text.Encoding.UTF8.GetBytes(drawing), ".svg") : null;
    }

    /// <summary>Saves pictures as <c>figure-1.png</c>, <c>figure-2.png</c>, …, passing over names that the run's own files took.</summary>
    /// <returns>Each one's name; null for one that could not be saved, which is said.</returns>
    public static async Task<List<string?>> SaveAsync(
        IEnumerable<(byte[] Content, string Extension)> figures, OutDirectory directory, IReadOnlyCollection<string> taken, Screen screen, CancellationToken cancellationToken)
    {
        var saved = new List<string?>();
        var number = 0;
        foreach (var (content, extension) in figures)
        {
            string name;
            do
            {
                name = $"figure-{++number}{extension}";
            }
            while (taken.Contains(name));

            try
            {
                await directory.SaveAsync(name, new MemoryStream(content), 0x1A4, cancellationToken);
                saved.Add(name);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                screen.Notice($"{name} was not saved: {failure.Message}");
                saved.Add(null);
            }
        }

        return saved;
    }
}
