using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Cove.Engine.Runs;

namespace Cove.Engine.Kernels;

/// <summary>The kernels of one sandbox by name.</summary>
internal sealed class KernelTable(KernelHome home, TemplateFacts facts)
{
    /// <summary>Kernels a sandbox may have; its process limit ends most attempts long before.</summary>
    public const int MaxKernels = 32;

    /// <summary>Node.js starts about a dozen threads and waits for ever for those it is refused.</summary>
    public const int MinJavaScriptPids = 16;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Kernel> _kernels = [];

    /// <summary>Registers a kernel that was started before the sandbox was claimed.</summary>
    public void Adopt(Language language, GreetedKernel greeted)
    {
        var kernel = new Kernel(KernelLanguages.Name(language), language, home);
        kernel.Adopt(greeted);
        _kernels.Add(kernel.Name, kernel);
    }

    public IReadOnlyList<KernelInfo> List()
    {
        lock (_lock)
        {
            return [.. _kernels.Values.Where(k => k.WasStarted).Select(k => k.Info).OrderBy(k => k.Id, StringComparer.Ordinal)];
        }
    }

    public Kernel? Find(string name)
    {
        lock (_lock)
        {
            return _kernels.GetValueOrDefault(name);
        }
    }

    /// <summary>The kernel of that name, new when there is none; null and the error when it cannot be.</summary>
    public Kernel? Open(string? name, Language language, out RunError? refusal)
    {
        name ??= KernelLanguages.Name(language);
        lock (_lock)
        {
            if (_kernels.TryGetValue(name, out var kernel))
            {
                refusal = kernel.Language == language ? null : Outcomes.KernelLanguage(name, kernel.Language, language);
                return refusal is null ? kernel : null;
            }

            refusal = !facts.Languages.ContainsKey(KernelLanguages.Name(language)) ? Outcomes.LanguageUnavailable(language, facts)
                : Enum.GetValues<Language>().Any(other => other != language && KernelLanguages.Name(other) == name) ? Outcomes.KernelNameReserved(name)
                : language == Language.JavaScript && home.Limits.Pids < MinJavaScriptPids ? Outcomes.TooFewProcesses(language, home.Limits.Pids, MinJavaScriptPids)
                : _kernels.Count >= MaxKernels ? Outcomes.TooManyKernels(MaxKernels)
                : null;
            return refusal is null ? _kernels[name] = new Kernel(name, language, home) : null;
        }
    }

    /// <summary>Whether that very kernel is in the table: one found there may be deleted before it is entered.</summary>
    public bool Holds(Kernel kernel)
    {
        lock (_lock)
        {
            return ReferenceEquals(_kernels.GetValueOrDefault(kernel.Name), kernel);
        }
    }

    /// <summary>Leaves a kernel that was entered; one that never started is forgotten, or failed names would use up the table.</summary>
    public void LeaveOrRemove(Kernel kernel)
    {
        if (!kernel.WasStarted)
        {
            Remove(kernel);
        }

        kernel.Leave();
    }

    public void Remove(Kernel kernel)
    {
        lock (_lock)
        {
            if (_kernels.TryGetValue(kernel.Name, out var current) && ReferenceEquals(current, kernel))
            {
                _kernels.Remove(kernel.Name);
            }
        }
    }
}
