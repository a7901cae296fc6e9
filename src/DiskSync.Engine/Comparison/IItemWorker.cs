namespace DiskSync.Engine.Comparison;

/// <summary>One thread's worker: its buffers, and what it does with an item.</summary>
/// <typeparam name="TItem">What is worked on.</typeparam>
/// <typeparam name="TResult">What comes out; must not refer to the worker's buffers.</typeparam>
internal interface IItemWorker<in TItem, out TResult> : IDisposable
{
    /// <summary>Works on an item; called by one thread only.</summary>
    TResult Work(TItem item);
}
