namespace Cove.Tests.Support;

/// <summary>A directory of one test's own.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("cove-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
