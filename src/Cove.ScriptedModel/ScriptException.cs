namespace Cove.ScriptedModel;

/// <summary>A script that can't be read, or that does not fit the conversation it is asked to play.</summary>
public sealed class ScriptException : Exception
{
    /// <summary>Says where, what and how to mend it.</summary>
    public ScriptException(string file, int line, string problem, string fix)
        : base($"{file}, line {line}: {problem}{(problem.EndsWith('.') ? "" : ".")} {fix}") => (File, Line, Problem, Fix) = (file, line, problem, fix);

    /// <summary>The script, as it was named.</summary>
    public string File { get; }

    /// <summary>The line, from 1.</summary>
    public int Line { get; }

    /// <summary>What is wrong.</summary>
    public string Problem { get; }

    /// <summary>What to do about it.</summary>
    public string Fix { get; }
}
