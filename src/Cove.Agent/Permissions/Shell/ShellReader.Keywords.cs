namespace Cove.Agent.Permissions.Shell;

/// <summary>Keywords, and what may follow what they end.</summary>
internal sealed partial class ShellReader
{
    /// <summary>What stands before a command and is none.</summary>
    private static readonly HashSet<string> _openers = ["if", "then", "elif", "else", "while", "until", "do", "!", "{"];

    /// <summary>What stands where a command could and begins none.</summary>
    private static readonly HashSet<string> _closers = ["fi", "done", "}"];

    /// <summary>Grammar of their own, which this reader does not know.</summary>
    private static readonly HashSet<string> _unknown = ["case", "esac", "select", "function", "coproc", "[[", "]]", "in"];

    /// <summary>What follows a subshell or a keyword that ends something: redirections and nothing else.</summary>
    private void ReadTail()
    {
        List<ShellRedirect> redirects = [];
        while (SkippedToMore() && !IsOperator())
        {
            if (!TryReadRedirect(redirects))
            {
                Doubted("words follow where none can");
                return;
            }
        }

        if (redirects.Count > 0)
        {
            Commands.Add(new ShellCommand { Words = [], Redirects = redirects });
        }
    }

    /// <summary>A keyword where a command could be; what comes after it is read as a command again.</summary>
    private bool TakesKeyword(ShellWord word)
    {
        if (word.Raw == "time")
        {
            SkipBlanks();
            if (text.AsSpan(_at).StartsWith("-p ", StringComparison.Ordinal))
            {
                _at += 3;
            }

            return true;
        }

        if (word.Raw == "for")
        {
            ReadLoopHead();
            return true;
        }

        if (_unknown.Contains(word.Raw))
        {
            Doubted($"it holds '{word.Raw}'");
            return true;
        }

        if (_closers.Contains(word.Raw))
        {
            ReadTail();
            return true;
        }

        return _openers.Contains(word.Raw);
    }

    /// <summary><c>for name in words</c>: the words are expanded, and start nothing but what is substituted in them.</summary>
    private void ReadLoopHead()
    {
        SkipBlanks();
        var name = ReadWord();
        SkipBlanks();
        var keyword = Here is ';' or '\n' ? null : ReadWord();
        if (name.Literal is not { Length: > 0 } plain || !IsName(plain) || keyword is { Raw: not "in" } || ChangesLaterCommands(plain))
        {
            Doubted("it holds a 'for' of another form than 'for name in words'");
        }

        while (!AtEnd && !IsOperator() && Here is not ('<' or '>'))
        {
            ReadWord();
            SkipBlanks();
        }

        if (Here is '(' or ')' or '<' or '>')
        {
            Doubted("it holds a 'for' of another form than 'for name in words'");
        }
    }

    /// <summary>Whether setting a variable of this name can change what a command is.</summary>
    private static bool ChangesLaterCommands(string name) => !ShellVariables.IsHarmlessInLoop(name);
}
