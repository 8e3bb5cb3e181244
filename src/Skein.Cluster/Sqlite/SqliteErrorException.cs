namespace Skein;

/// <summary>What SQLite says that is wrong.</summary>
sealed class SqliteErrorException(int error, string message) : IOException(message)
{
    const int Busy = 5, Corrupt = 11, NotADatabase = 26;
    const int FailedSync = 10 | 4 << 8, FailedFolderSync = 10 | 5 << 8;   // of the errors of input and output

    public bool IsBusy => (error & 0xFF) == Busy;

    public bool IsDamage => (error & 0xFF) == Corrupt;

    public bool IsForeign => (error & 0xFF) == NotADatabase;

    /// <summary>What the disk holds is not known.</summary>
    public bool IsUncertain => error is FailedSync or FailedFolderSync;
}
