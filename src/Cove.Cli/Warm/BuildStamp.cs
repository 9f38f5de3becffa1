using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Cove.Cli.Warm;

/// <summary>Identifies what is installed beside this program, so that a command never talks to an engine of other code.</summary>
internal static class BuildStamp
{
    /// <summary>Twelve hex digits over the name, length and time of every file of the program. Reading the files would take longer than all else that a command does.</summary>
    public static string Read() => Of(AppContext.BaseDirectory);

    internal static string Of(string directory)
    {
        var files = new DirectoryInfo(directory).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension is not (".pdb" or ".xml" or ".pyc"))
            .Select(file => string.Create(CultureInfo.InvariantCulture, $"{Path.GetRelativePath(directory, file.FullName)}\0{file.Length}\0{file.LastWriteTimeUtc.Ticks}\n"))
            .Order(StringComparer.Ordinal);
        var text = Encoding.UTF8.GetBytes(string.Concat(files));
        return Convert.ToHexStringLower(SHA256.HashData(text))[..12];
    }
}
