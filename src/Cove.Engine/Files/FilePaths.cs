using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cove.Engine.Files;

/// <summary>
/// Paths between the engine and the file worker: there, a percent sign is <c>%25</c> and a byte that is no UTF-8 is <c>%XX</c>.
/// Callers see plain paths; in a name that is no UTF-8 the odd bytes are shown as U+FFFD, and such a file is only reached
/// through its directory.
/// </summary>
internal static class FilePaths
{
    public static void WritePath(this Utf8JsonWriter writer, string field, string path) =>
        writer.WriteString(field, path.Replace("%", "%25", StringComparison.Ordinal));

    /// <summary>The plain spelling of a path the worker gave.</summary>
    public static string Show(string path)
    {
        if (!path.Contains('%'))
        {
            return path;
        }

        var bytes = Encoding.UTF8.GetBytes(path);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '%' && i + 2 < bytes.Length
                && byte.TryParse(bytes.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                bytes[length++] = value;
                i += 2;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}
