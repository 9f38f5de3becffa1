using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Cove.Server.State;

/// <summary>The distribution's SQLite, which the distribution patches; none is shipped.</summary>
internal static class SqliteLibrary
{
    private static readonly Lazy<bool> _loaded = new(Load);

    /// <summary>Loads it once; throws the error that names the package when it is missing.</summary>
    public static void Require()
    {
        if (!_loaded.Value)
        {
            throw StateErrors.LibraryMissing();
        }
    }

    private static bool Load()
    {
        if (!NativeLibrary.TryLoad("libsqlite3.so.0", out _))
        {
            return false;
        }

        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" ? NativeLibrary.Load("libsqlite3.so.0") : 0;
}
