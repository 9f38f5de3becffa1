namespace Cove.Engine.Templates.Building;

/// <summary>Builds the root of a template that has Debian packages of its own, beside the old one, and swaps them at the end.</summary>
internal sealed class TemplateBuilder(string stateDirectory, bool asRoot, TimeProvider time, Action<string> say)
{
    /// <summary>Returns the root's directory. Whatever happens on the way, the old root (if there is one) stays until the new one is whole.</summary>
    public async Task<string> BuildAsync(Template template, CancellationToken cancellationToken)
    {
        if (template.DebianPackages.Count == 0)
        {
            throw Failed($"The template '{template.Name}' has no 'debian_packages', so there is nothing to build", "It works as it is; name Debian packages in it to give it a root of its own.");
        }

        var root = TemplateRoots.PathOf(template with { Root = null }, stateDirectory);
        var (made, work, old) = (root + ".new", root + ".work", root + ".old");
        Clear(made, work, old);
        try
        {
            Directory.CreateDirectory(made);
            Directory.CreateDirectory(work);
            await FillAsync(template, made, work, cancellationToken);
            cancellationToken.ThrowIfCancellationRequested();
            Swap(root, made, old);
            return root;
        }
        finally
        {
            Clear(made, work, old);
        }
    }

    internal static CoveException Failed(string message, string remediation) => new(new RunError
    {
        Code = "template_build_failed", Category = ErrorCategory.Infrastructure, Retryable = false, Message = message + ".", Remediation = remediation,
    });

    private async Task FillAsync(Template template, string made, string work, CancellationToken cancellationToken)
    {
        var suite = HostRelease.Codename(await File.ReadAllTextAsync("/etc/os-release", cancellationToken));
        var sources = new List<string>();
        foreach (var (name, text) in AptSources.Read("/etc/apt", suite))
        {
            sources.Add(Path.Combine(work, name));
            await File.WriteAllTextAsync(sources[^1], text, cancellationToken);
        }

        // An ordinary user's build runs under subordinate ids, which cannot enter that user's private directories: it builds in /tmp.
        await new BuildPipe(time, say).RunAsync(RootRecipe.Bootstrap(template, suite, asRoot, sources), RootRecipe.Unpack(made), asRoot ? work : null, cancellationToken);
        if (!Path.Exists(Path.Combine(made, "usr/bin/python3")))
        {
            throw Failed("The root that was built has no /usr/bin/python3", "Take out the package that removes it.");
        }
    }

    private static void Swap(string root, string made, string old)
    {
        if (Directory.Exists(root))
        {
            Directory.Move(root, old);
        }

        Directory.Move(made, root);
    }

    /// <summary>Removes what a build left, this one or an interrupted one before it; never through a mount, behind which lies the host.</summary>
    private static void Clear(params string[] directories)
    {
        foreach (var directory in directories.Where(Directory.Exists))
        {
            if (HostRelease.MountBeneath(directory, File.ReadAllText("/proc/self/mountinfo")) is { } mount)
            {
                throw Failed($"{mount} is a mount inside of what an interrupted build left", $"Unmount it, then try again: umount {mount}");
            }

            Directory.Delete(directory, recursive: true);
        }
    }
}
