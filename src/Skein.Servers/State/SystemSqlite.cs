using System.Runtime.InteropServices;
using SQLitePCL;

namespace Skein;

/// <summary>SQLite as the system has it, which the system keeps up to date.</summary>
static class SystemSqlite
{
    static readonly Lazy<bool> Chosen = new(static () =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, static (name, assembly, path) =>
            name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", out var library) ? library : NativeLibrary.Load(name, assembly, path));
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
        return true;
    });

    /// <exception cref="DllNotFoundException">There is none: install libsqlite3-0, or what the system calls it.</exception>
    public static void Use() => _ = Chosen.Value;
}
