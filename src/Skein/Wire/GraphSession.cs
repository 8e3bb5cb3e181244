namespace Skein;

/// <summary>
/// What one direction of a connection has said before: types, methods and functions without state that were described once are
/// numbers afterwards. The writer and the reader at the other end keep one each, in step. A message that fails while it is written
/// leaves no trace in it.
/// </summary>
sealed class GraphSession
{
}
