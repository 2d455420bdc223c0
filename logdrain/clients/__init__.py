"""What an application or a shell pipe uses to send lines to a drain; standard library only."""
