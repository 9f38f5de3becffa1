using System.Runtime.CompilerServices;

namespace Cove.Tests.Support;

/// <summary>Where the sources of these tests lie.</summary>
internal static class SourceTree
{
    public static string Root { get; } = Find();

    private static string Find([CallerFilePath] string here = "")
    {
        for (var directory = Path.GetDirectoryName(here); directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "Cove.slnx")))
            {
                return directory;
            }
        }

        throw new InvalidOperationException("The repository's root was not found.");
    }
}
