using System.Runtime.Versioning;

namespace Skein.Tests;

[SupportedOSPlatform("linux")]
public sealed class MemoryChannelTests() : ChannelCases(ChannelKind.Memory);

[SupportedOSPlatform("linux")]
public sealed class PipeChannelTests() : ChannelProcessCases(ChannelKind.Pipe);

[SupportedOSPlatform("linux")]
public sealed class UnixSocketChannelTests() : ChannelProcessCases(ChannelKind.UnixSocket);

[SupportedOSPlatform("linux")]
public sealed class SharedMemoryChannelTests() : ChannelProcessCases(ChannelKind.SharedMemory);

[SupportedOSPlatform("linux")]
public sealed class MessageQueueChannelTests() : ChannelProcessCases(ChannelKind.MessageQueue);

[SupportedOSPlatform("linux")]
public sealed class LockedFileChannelTests() : ChannelProcessCases(ChannelKind.LockedFile);

[SupportedOSPlatform("linux")]
public sealed class TcpChannelTests() : ChannelProcessCases(ChannelKind.Tcp);

[SupportedOSPlatform("linux")]
public sealed class UdpChannelTests() : ChannelProcessCases(ChannelKind.Udp);
