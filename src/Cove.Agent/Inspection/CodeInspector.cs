using System.Text.RegularExpressions;
using Cove.Agent.Tools;

namespace Cove.Agent.Inspection;

/// <summary>
/// A look at code before it runs, line by line, for well-known words. It is advice and no boundary: code that wants to hide what it does can
/// (<c>getattr(os, 'sys' + 'tem')</c>), and code that only names such a word in a text is found, too. What code can do is bounded by the sandbox alone.
/// </summary>
public static partial class CodeInspector
{
    private const int MaxLength = 1_000_000;
    private const int MaxFindings = 50;

    /// <summary>What is worth knowing in code of a language; Python and bash are looked at, others have no findings.</summary>
    public static IReadOnlyList<CodeFinding> Inspect(string code, Language language)
    {
        ArgumentNullException.ThrowIfNull(code);
        List<CodeFinding> findings = [];
        var number = 0;
        foreach (var line in code.AsSpan(0, Math.Min(code.Length, MaxLength)).EnumerateLines())
        {
            number++;
            if (line.TrimStart() is ['#', ..])
            {
                continue;
            }

            foreach (var (concern, sign) in Signs(language))
            {
                Look(line, number, concern, sign, findings);
                if (findings.Count >= MaxFindings)
                {
                    return findings;
                }
            }
        }

        return findings;
    }

    private static void Look(ReadOnlySpan<char> line, int number, CodeConcern concern, Regex sign, List<CodeFinding> findings)
    {
        try
        {
            foreach (var match in sign.EnumerateMatches(line))
            {
                findings.Add(new CodeFinding(concern, number, Excerpts.OneLine(line.Slice(match.Index, Math.Min(match.Length, 120)).ToString().Trim())));
                if (findings.Count >= MaxFindings)
                {
                    return;
                }
            }
        }
        catch (RegexMatchTimeoutException)
        {
            findings.Add(new CodeFinding(concern, number, "a line that takes too long to look at"));
        }
    }

    private static IEnumerable<(CodeConcern Concern, Regex Sign)> Signs(Language language) => language switch
    {
        Language.Python =>
        [
            (CodeConcern.Subprocess, PythonSubprocess()), (CodeConcern.DynamicCode, PythonDynamic()), (CodeConcern.Network, PythonNetwork()),
            (CodeConcern.Destruction, PythonDestruction()), (CodeConcern.Destruction, BashDestruction()), (CodeConcern.Secrets, Secrets()),
        ],
        Language.Bash =>
        [
            (CodeConcern.DynamicCode, BashDynamic()), (CodeConcern.Network, BashNetwork()), (CodeConcern.Destruction, BashDestruction()), (CodeConcern.Secrets, Secrets()),
        ],
        _ => [],
    };

    [GeneratedRegex(@"\bos\s*\.\s*(system|popen|exec[lv]p?e?|spawn\w*|fork)\s*\(|\bsubprocess\b|\bpty\s*\.\s*spawn|^\s*!\s*\S.*|^%%(bash|sh)\b|\bctypes\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PythonSubprocess();

    [GeneratedRegex(@"(?<![\w.])(eval|exec|compile|__import__)\s*\(|\b(pickle|marshal)\s*\.\s*loads?\s*\(|\bimportlib\s*\.\s*import_module\s*\(", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PythonDynamic();

    [GeneratedRegex(@"\b(import|from)\s+(requests|urllib|http|socket|ftplib|smtplib|telnetlib|aiohttp|httpx|paramiko)\b|https?://[^\s'""]{1,100}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PythonNetwork();

    [GeneratedRegex(@"\bshutil\s*\.\s*rmtree\s*\(|\bos\s*\.\s*(remove|unlink|removedirs)\s*\(|\.unlink\s*\(", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex PythonDestruction();

    [GeneratedRegex(@"\brm\s+(-\w+\s+)*-\w*[rR]\w*|\brm\s+--recursive\b|\bmkfs\b|\bdd\s+[^;|&]*\bof=|\bfind\b[^;|&]*\s-delete\b|:\(\)\s*\{", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BashDestruction();

    [GeneratedRegex(@"(^|[;&|(]\s*|\s)eval\s|\b(ba|z|da)?sh\s+-\w*c\b|\|\s*(sudo\s+)?(ba|z|da)?sh\b|\bbase64\s+(-d|--decode)\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BashDynamic();

    [GeneratedRegex(@"\b(curl|wget|nc|ncat|netcat|ssh|scp|rsync|ftp|telnet)\s+\S|/dev/(tcp|udp)/|https?://[^\s'""]{1,100}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex BashNetwork();

    [GeneratedRegex(@"/etc/(passwd|shadow)\b|\.ssh/|\bid_(rsa|ed25519)\b|\.aws/credentials|/proc/(self|\d+)/environ|\bAWS_SECRET_ACCESS_KEY\b|\bos\s*\.\s*environ\b", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Secrets();
}
