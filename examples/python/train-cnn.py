"""A convolutional network: SGD with Nesterov momentum and a one-cycle schedule of rate and momentum."""

import torch
from torch import nn, optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 8, 3, padding="same"),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
        )
        self.head = nn.Linear(32, 3)

    def forward(self, x):
        return self.head(self.features(x))


torch.manual_seed(1)
labels = torch.arange(60).remainder(3)
images = torch.randn(60, 1, 8, 8)
# Each class is bright in another row.
for i in range(60):
    images.select(0, i).select(1, 2 * (i % 3) + 1).add_(1.5)

model = Net()
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs=10, steps_per_epoch=3)
loss = nn.CrossEntropyLoss(label_smoothing=0.05)

print(model)
for epoch in range(10):
    total = 0
    for batch in torch.randperm(60).split(20):
        optimizer.zero_grad()
        value = loss(model(images.index_select(0, batch)), labels.index_select(0, batch))
        value.backward()
        optimizer.step()
        schedule.step()
        total += value.item()
    print(f"epoch {epoch + 1}: loss {total / 3}, momentum {optimizer.param_groups[0]['momentum']}")

with torch.no_grad():
    right = model.eval()(images).argmax(1).eq(labels).sum().item()
print(f"{right} of 60 right")
