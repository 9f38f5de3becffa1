namespace Cove.Agent.Tools.Sandbox;

/// <summary>Paths as models give them. What is judged by a rule is what is asked of the sandbox: both see this spelling.</summary>
internal static class SandboxPaths
{
    /// <summary>The absolute spelling: relative paths begin at <c>/workspace</c>; empty parts, <c>.</c> and <c>..</c> are resolved by their letters alone, never above the root.</summary>
    public static string Resolve(string path, string from = MadeFiles.Workspace)
    {
        List<string> parts = [];
        foreach (var part in (path.StartsWith('/') ? path : from + "/" + path).Split('/'))
        {
            if (part == "..")
            {
                parts.RemoveRange(Math.Max(0, parts.Count - 1), Math.Min(1, parts.Count));
            }
            else if (part.Length > 0 && part != ".")
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }
}
